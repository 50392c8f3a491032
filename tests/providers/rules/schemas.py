"""Rules about JSON schemas, each with its source, and the walk over a schema that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Schema = dict[str, Any]
Place = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Where a rule was read."""

    title: str
    url: str
    read: str
    """The date, as in 2026-11-30."""


@dataclass(frozen=True)
class Refusal:
    """A request that the provider does not take: the answer that it gives."""

    status: int
    reason: str
    body: Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True)
class Rule:
    """One thing that a provider demands of a schema; `broken` says what is wrong with a node, or with the root."""

    name: str
    source: Source
    broken: Callable[[Schema, Place], str | None]
    root_only: bool = False


STANDARD = Source(
    "JSON Schema 2020-12: core, applicator, unevaluated, validation, meta-data and format vocabularies",
    "https://json-schema.org/draft/2020-12/schema",
    "2026-11-30",
)
STANDARD_KEYWORDS = frozenset(
    [
        "$anchor",
        "$comment",
        "$defs",
        "$dynamicAnchor",
        "$dynamicRef",
        "$id",
        "$ref",
        "$schema",
        "$vocabulary",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "contains",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "dependentRequired",
        "dependentSchemas",
        "deprecated",
        "description",
        "else",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "if",
        "items",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "oneOf",
        "pattern",
        "patternProperties",
        "prefixItems",
        "properties",
        "propertyNames",
        "readOnly",
        "required",
        "then",
        "title",
        "type",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
        "writeOnly",
    ]
)
_MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLES = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")


def walk(schema: object, place: Place = ()) -> Iterator[tuple[Schema, Place]]:
    """All schemas within one, itself included, with the place of each."""
    if not isinstance(schema, Mapping):
        return
    node = cast("Schema", schema)
    yield node, place
    for name in _MAPS:
        for key, each in cast("Schema", node.get(name) or {}).items():
            yield from walk(each, (*place, name, key))
    for name in _LISTS:
        for number, each in enumerate(cast("list[object]", node.get(name) or [])):
            yield from walk(each, (*place, name, str(number)))
    for name in _SINGLES:
        yield from walk(node.get(name), (*place, name))


def first_broken(schema: Schema, rules: Sequence[Rule]) -> tuple[Rule, Place, str] | None:
    """The first rule that a schema breaks, where, and how."""
    for node, place in walk(schema):
        for rule in rules:
            if (place == () or not rule.root_only) and (problem := rule.broken(node, place)):
                return rule, place, problem
    return None


def kinds(node: Schema) -> set[str]:
    """The types that a node names."""
    named: object = node.get("type")
    if isinstance(named, str):
        return {named}
    return {str(each) for each in cast("list[object]", named)} if isinstance(named, list) else set()


def only(names: frozenset[str], source: Source, name: str = "only the keywords that are documented") -> Rule:
    """No keyword but these."""

    def broken(node: Schema, _: Place) -> str | None:
        return next((f"{each!r} is not permitted" for each in node if each not in names), None)

    return Rule(name, source, broken)


STANDARD_ONLY = only(STANDARD_KEYWORDS, STANDARD, "only keywords of the standard")
