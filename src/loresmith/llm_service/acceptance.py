"""Which schemas the service takes: bounded in size, depth and demands, and of use without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing.jsonschema import DRAFT202012

from loresmith.llm_service.patterns import pattern

MOST_VALUES: Final = 5_000
"""Keywords, names and other values of a schema, all together."""
MOST_DEPTH: Final = 64
MOST_PATTERN: Final = 2_000
MOST_TEXT: Final = 10_000
"""Characters of a description, a name or whatever else."""
MOST_EXPANDED: Final = 20_000
"""Parts that a schema has once every `$ref` is replaced, as libraries of providers do."""
MOST_REQUIRED: Final = 2_000
"""Values that an output must have at least; an answer of 256 KB has no room for more of any use."""
_ELSEWHERE: Final = ("$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$vocabulary")
_NOT_TAKEN: Final = ("unevaluatedProperties", "unevaluatedItems")
_COUNTS: Final = ("minItems", "minLength", "minProperties", "minContains")

Schema = dict[str, Any]


def check(schema: Schema) -> None:
    """Raises ValueError that says what is wrong with a schema."""
    _check_size(schema)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"json_schema is not a schema: {error.message[:200]}") from None
    except (RecursionError, OverflowError):
        raise ValueError("json_schema is not a schema: a pattern or a number in it is too large") from None
    for each in subschemas(schema):
        _check_keywords(each, schema)
    if _Expanded(schema).parts(schema) > MOST_EXPANDED:
        raise ValueError(f"json_schema has more than {MOST_EXPANDED:,} parts once each $ref is replaced")
    if _Least(schema).values(schema) > MOST_REQUIRED:
        raise ValueError(f"json_schema asks for more than {MOST_REQUIRED:,} values")


def subschemas(schema: Schema) -> Iterator[Schema]:
    """A schema and all in it, without those that are just true or false."""
    open_ones: list[Any] = [schema]
    while open_ones:
        each = open_ones.pop()
        if isinstance(each, dict):
            yield cast("Schema", each)
            open_ones += DRAFT202012.subresources_of(cast("Schema", each))


def follow(reference: str, root: Schema) -> Any:
    """What a local `$ref` leads to. Raises ValueError."""
    node: Any = root
    if reference != "#" and not reference.startswith("#/"):
        raise ValueError(f"json_schema has a $ref that leads elsewhere: {reference[:100]!r}")
    try:
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            node = node[int(name) if isinstance(node, list) else name]
    except (LookupError, TypeError, ValueError):
        raise ValueError(f"json_schema has a $ref that leads nowhere: {reference[:100]!r}") from None
    if not isinstance(node, dict | bool):
        raise ValueError(f"json_schema has a $ref that leads to no schema: {reference[:100]!r}")
    return cast("Any", node)


def _check_size(schema: Schema) -> None:
    level: list[Any] = [schema]
    count = 0
    for _ in range(MOST_DEPTH):
        inner: list[Any] = []
        for part in level:
            inner += part.values() if isinstance(part, dict) else part
        count += len(inner)
        if any(isinstance(each, str) and len(each) > MOST_TEXT for each in inner):
            raise ValueError(f"json_schema has a text of more than {MOST_TEXT:,} characters")
        if count > MOST_VALUES:
            raise ValueError(f"json_schema has more than {MOST_VALUES:,} values")
        level = [each for each in inner if isinstance(each, dict | list)]
        if not level:
            return
    raise ValueError(f"json_schema has more than {MOST_DEPTH} levels of nesting")


def _check_keywords(each: Schema, root: Schema) -> None:
    for name in (*_ELSEWHERE, *_NOT_TAKEN):
        if name in each and not (name == "$id" and each is root):
            raise ValueError(f"json_schema uses {name}, which is not taken")
    if "$ref" in each:
        follow(each["$ref"], root)
    texts = [each["pattern"]] if "pattern" in each else []
    for text in [*texts, *each.get("patternProperties", {})]:
        if len(text) > MOST_PATTERN:
            raise ValueError(f"json_schema has a pattern of more than {MOST_PATTERN} characters")
        pattern(text)
    for name in _COUNTS:
        if each.get(name, 0) > (MOST_REQUIRED if name != "minLength" else 100_000):
            raise ValueError(f"json_schema has a {name} that no answer reaches")


class _Expanded:
    """Counts the parts of a schema with those that its references lead to, as far as the bound."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[int, int] = {}

    def parts(self, schema: Any) -> int:
        """The count for a part of the schema; one that is in itself counts once there."""
        if not isinstance(schema, dict):
            return 1
        found = cast("Schema", schema)
        if id(found) not in self._known:
            self._known[id(found)] = 1
            inner: list[Any] = list(DRAFT202012.subresources_of(found))
            inner += [follow(found["$ref"], self._root)] if "$ref" in found else []
            self._known[id(found)] = min(1 + sum(map(self.parts, inner)), MOST_EXPANDED + 1)
        return self._known[id(found)]


class _Least:
    """Counts how many values an output must have at least, as far as the bound; each part of the schema once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def values(self, schema: Any) -> int:
        """The count for a part of the schema. Raises ValueError for one that requires itself."""
        if not isinstance(schema, dict):
            return 1
        here = id(cast("Schema", schema))
        if here in self._open:
            raise ValueError("json_schema requires itself, without an end")
        if here not in self._known:
            self._open.add(here)
            self._known[here] = min(self._counted(cast("Schema", schema)), MOST_REQUIRED + 1)
            self._open.discard(here)
        return self._known[here]

    def _counted(self, schema: Schema) -> int:
        properties = schema.get("properties", {})
        required = sum(self.values(properties[name]) for name in schema.get("required", ()) if name in properties)
        fewest = schema.get("minItems", 0)
        elements = fewest * self.values(schema.get("items", {})) if fewest else 0
        same = [follow(schema["$ref"], self._root)] if "$ref" in schema else []
        same += schema.get("allOf", ())
        return int(max([1 + required + elements, *(self.values(one) for one in same)]))
