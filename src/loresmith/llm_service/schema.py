"""JSON schemas of what is generated: reading them, and judging an object by them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, cast

from jsonschema.exceptions import ValidationError

from loresmith.llm_service.acceptance import check, follow
from loresmith.llm_service.hygiene import visible_value
from loresmith.llm_service.judging import TooManyStepsError, problems_of

_MOST_PROBLEMS: Final = 5
_LONGEST_PROBLEM: Final = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an output is worth: compact JSON when valid, else what is wrong with it."""

    json: str
    problems: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.problems


class OutputSchema:
    """A JSON schema of one object.

    Raises ValueError if the document is not such a schema.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        _check(document)
        self.document = document

    def judge(self, text: str) -> Verdict:
        """Parses and validates one output of a model."""
        try:
            read = visible_value(json.loads(_joined_surrogates(text), parse_constant=_refuse_constant))
            value: Any = _without_unknown(read, self.document, self.document)
            compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            compact.encode()
        except RecursionError:
            return Verdict("", ("not valid JSON: nested too deep",))
        except ValueError as error:
            return Verdict("", (f"not valid JSON: {error}",))
        try:
            errors = problems_of(self.document, value)
            return Verdict(compact, tuple(map(_describe, islice(errors, _MOST_PROBLEMS))))
        except (TooManyStepsError, RecursionError):
            return Verdict("", ("it takes too long to check",))


def output_schema(document: dict[str, Any]) -> OutputSchema:
    """The OutputSchema of `document`; checking one takes 2 ms, so the latest are kept."""
    return _checked(json.dumps(document))


@lru_cache(maxsize=64)
def _checked(text: str) -> OutputSchema:
    return OutputSchema(json.loads(text))


def resolve(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    """`schema` with its local `$ref` followed and the first non-null of its alternatives chosen; {} for true, false.

    Raises ValueError for a `$ref` that leads nowhere.
    """
    for _ in range(8):
        if not isinstance(schema, dict):
            return {}
        found = cast("dict[str, Any]", schema)
        if reference := found.get("$ref"):
            schema = follow(reference, root)
        elif alternatives := found.get("anyOf") or found.get("oneOf") or found.get("allOf"):
            schema = next((each for each in alternatives if not _is_null(each)), alternatives[0])
        else:
            return found
    return cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and cast("dict[str, Any]", schema).get("type") == "null"


def _without_unknown(value: Any, schema: Any, root: dict[str, Any]) -> Any:
    """`value` without members that a closed object of the schema does not have: some models add members of their own.

    A value whose schema is a choice stays as it is.
    """
    if not isinstance(schema, dict) or _is_choice(cast("dict[str, Any]", schema)):
        return value
    schema = resolve(cast("dict[str, Any]", schema), root)
    if isinstance(value, list):
        return [_without_unknown(each, schema.get("items"), root) for each in cast("list[Any]", value)]
    if not isinstance(value, dict) or "properties" not in schema or _is_choice(schema):
        return cast("Any", value)
    known = cast("dict[str, Any]", schema["properties"])
    closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    members = cast("dict[str, Any]", value).items()
    return {
        name: _without_unknown(each, known.get(name), root) for name, each in members if name in known or not closed
    }


def _is_choice(schema: dict[str, Any]) -> bool:
    options = [each for name in ("anyOf", "oneOf", "allOf") for each in cast("list[object]", schema.get(name) or [])]
    return len([each for each in options if each != {"type": "null"}]) > 1


def _check(schema: dict[str, Any]) -> None:
    check(schema)
    if resolve(schema, schema).get("type") != "object":
        raise ValueError("json_schema must be the schema of an object")


def _joined_surrogates(text: str) -> str:
    """`text` with the halves of a character that came in two chunks put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _describe(error: ValidationError) -> str:
    place = "/".join(str(part) for part in error.absolute_path)
    return f"at /{place}: {error.message}"[:_LONGEST_PROBLEM]
