"""The validator of outputs: JSON Schema in bounded time, whatever the schema and the output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final, cast

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing.jsonschema import EMPTY_REGISTRY

from loresmith.llm_service.patterns import pattern

_MOST_STEPS: Final = 200_000
"""Keywords that are applied to parts of one output, with the values that they list."""
_steps: ContextVar[list[int]] = ContextVar("steps")

Keyword = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]


class TooManyStepsError(Exception):
    """Judging an output takes too long."""


def problems_of(schema: dict[str, Any], value: object) -> Iterator[ValidationError]:
    """Yields what is wrong with a value. Raises TooManyStepsError, RecursionError."""
    _steps.set([_MOST_STEPS])
    # Without a registry of our own, jsonschema would fetch a remote $ref over the network.
    validator = _Bounded(schema, registry=EMPTY_REGISTRY)
    return cast("Iterator[ValidationError]", validator.iter_errors(value))


def _counted(keyword: Keyword) -> Keyword:
    def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        left = _steps.get()
        left[0] -= 1 + (len(cast("list[Any]", value)) if isinstance(value, list) else 0)
        if left[0] < 0:
            raise TooManyStepsError
        yield from keyword(validator, value, instance, schema) or ()

    return apply


def _pattern(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not pattern(value).matches(instance):
        yield ValidationError(f"{instance!r} does not match {value!r}")


def _pattern_properties(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for text, subschema in value.items():
            for name, part in instance.items():
                if pattern(text).matches(name):
                    yield from validator.descend(part, subschema, path=name, schema_path=text)


def _additional_properties(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, part in instance.items():
        if name in named or any(pattern(text).matches(name) for text in patterns):
            continue
        if value is False:
            yield ValidationError(f"Additional properties are not allowed ({name!r} was unexpected)")
        elif isinstance(value, dict):
            yield from validator.descend(part, value, path=name)


def _unique_items(validator: Any, value: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    is_array = validator.is_type(instance, "array")
    if value and is_array and len({_canonical(each) for each in instance}) < len(instance):
        yield ValidationError("the array has non-unique elements")


def _canonical(value: object) -> str:
    """The same text for what JSON Schema takes as equal."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < sys.maxsize:
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in cast("dict[str, Any]", value).items()}
    return value


_KEYWORDS: Final[dict[str, Keyword]] = {
    **cast("dict[str, Keyword]", Draft202012Validator.VALIDATORS),
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
_extend: Final = cast("Callable[..., Any]", validators.extend)  # pyright: ignore[reportUnknownMemberType]
_Bounded: Final = _extend(Draft202012Validator, {name: _counted(keyword) for name, keyword in _KEYWORDS.items()})
