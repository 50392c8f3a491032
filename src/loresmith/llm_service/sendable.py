"""JSON schemas as they leave the process: standard, and within the dialect of the provider."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from loresmith.llm_service.dialects import STANDARD, Dialect, Shape

Schema = dict[str, Any]

_MAPS: Final = ("properties", "$defs", "patternProperties", "dependentSchemas")
_LISTS: Final = ("anyOf", "allOf", "prefixItems")
_SINGLES: Final = (
    *("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
_SILENT: Final = frozenset(["title"])
"""Dropped without a note: pydantic makes it of the name of the property."""
_COMPOSITION: Final = ("allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")
_TYPE_NAMES: Final[Mapping[type[object], str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_TYPED: Final = ("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const")


def sendable(document: Schema, dialect: Dialect) -> Schema:
    """Return `document` in the words of `dialect`.

    Keywords that are not standard are dropped. A standard one that the provider does not take becomes a note in the
    description: the answer is validated by the whole schema in any case. Pydantic-ai does the rest (required
    properties, references) for each model.
    """
    return json.loads(_sendable(json.dumps(document), dialect))


@lru_cache(maxsize=128)
def _sendable(text: str, dialect: Dialect) -> str:
    document = json.loads(text)
    return json.dumps(_Sending(dialect, document.get("$defs") or {}).node(_with_root(document)))


def _with_root(document: Schema) -> Schema:
    """`document` with an object at its root, where it was a reference to one: OpenAI asks for that.

    Pydantic-ai would do it too, and make the other references to it `#`, which llama.cpp does not follow.
    """
    name = str(document.get("$ref", "")).removeprefix("#/$defs/")
    if name not in (document.get("$defs") or {}):
        return document
    beside = {key: value for key, value in document.items() if key != "$ref"}
    return {**document["$defs"][name], **beside}


def shape_of(document: Schema) -> Shape:
    """Return the facts of a schema on which a provider's choice of modes depends."""
    nodes = list(_walk(document))
    objects = [(node, cast("dict[str, Schema]", node.get("properties") or {})) for node in nodes]
    properties = [(node, name, each) for node, named in objects for name, each in named.items()]
    return Shape(
        is_open=any(map(_is_open, nodes)),
        is_recursive=_is_recursive(document),
        has_tuples=any("prefixItems" in node for node in nodes),
        has_composition=any(name in node for node in nodes for name in _COMPOSITION),
        optional_properties=sum(name not in node.get("required", ()) for node, name, _ in properties),
        union_properties=sum("anyOf" in each or isinstance(each.get("type"), list) for *_, each in properties),
    )


class _Sending:
    """One document on its way into a dialect."""

    def __init__(self, dialect: Dialect, definitions: Mapping[str, Schema]) -> None:
        self._dialect = dialect
        self._definitions = definitions
        self._within: list[str] = []

    def node(self, node: object) -> object:
        """Return one schema in the dialect, those within it included."""
        if not isinstance(node, Mapping):
            return node
        kept: Schema = {name: value for name, value in cast("Schema", node).items() if name in STANDARD | {"oneOf"}}
        if "oneOf" in kept:
            kept.setdefault("anyOf", kept.pop("oneOf"))
            kept.pop("oneOf", None)
        for change in (_merge_single, _close_integer, _type_literals):
            change(kept)
        if "const" in kept and "const" not in self._dialect.keywords:
            kept["enum"] = [kept.pop("const")]
        self._parts(kept)
        return self._reference(_with_notes(kept, self._dialect))

    def _parts(self, kept: Schema) -> None:
        """Bring the schemas within one into the dialect."""
        for name in _MAPS:
            if isinstance(kept.get(name), Mapping):
                kept[name] = {key: self.node(each) for key, each in cast("Schema", kept[name]).items()}
        for name in _LISTS:
            if isinstance(kept.get(name), list):
                kept[name] = [self.node(each) for each in cast("list[object]", kept[name])]
        for name in _SINGLES:
            if name in kept:
                kept[name] = self.node(kept[name])

    def _reference(self, node: Schema) -> Schema:
        """Return `node` with nothing next to a reference but definitions: OpenAI and Gemini take no more."""
        beside = {name: value for name, value in node.items() if name not in ("$ref", "$defs")}
        if "$ref" not in node or not beside or "anyOf" in node:
            return node
        if not self._dialect.inlines_references:
            return {**{name: node[name] for name in node if name != "$ref"}, "anyOf": [{"$ref": node["$ref"]}]}
        name = str(node["$ref"]).removeprefix("#/$defs/")
        if name in self._within or name not in self._definitions:
            return {name: value for name, value in node.items() if name not in beside}
        self._within.append(name)
        inlined = cast("Schema", self.node(self._definitions[name]))
        self._within.pop()
        return {**inlined, **beside}


def _merge_single(node: Schema) -> None:
    """An `allOf` of one schema is that schema."""
    parts = node.get("allOf")
    if isinstance(parts, list) and len(cast("list[object]", parts)) == 1:
        part = cast("Schema", parts[0])
        if not set(part) & set(node) and "allOf" not in part:
            del node["allOf"]
            node.update({name: value for name, value in part.items() if name in STANDARD})


def _close_integer(node: Schema) -> None:
    """An exclusive bound of an integer is an inclusive one, which more providers know."""
    if node.get("type") != "integer":
        return
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        bound = node.get(exclusive)
        if isinstance(bound, int) and inclusive not in node:
            node[inclusive] = node.pop(exclusive) + step


def _type_literals(node: Schema) -> None:
    """Literals have a type, and those of several types are alternatives."""
    if "type" in node or not ("enum" in node or "const" in node):
        return
    values: list[object] = [node["const"]] if "const" in node else node["enum"]
    kinds = list(dict.fromkeys(_TYPE_NAMES[type(value)] for value in values if type(value) in _TYPE_NAMES))
    if len(kinds) == 1:
        node["type"] = kinds[0]
    elif kinds and "anyOf" not in node and "enum" in node:
        del node["enum"]
        node["anyOf"] = [_literals(kind, values) for kind in kinds]


def _literals(kind: str, values: Sequence[object]) -> Schema:
    if kind == "null":
        return {"type": kind}
    return {"type": kind, "enum": [value for value in values if _TYPE_NAMES.get(type(value)) == kind]}


def _with_notes(node: Schema, dialect: Dialect) -> Schema:
    """`node` without what the provider does not take, which its description says instead."""
    notes = {name: value for name, value in node.items() if not _is_taken(name, node, dialect)}
    kept = {name: value for name, value in node.items() if name not in notes}
    said = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in notes.items() if name not in _SILENT]
    if said:
        before = str(kept.get("description", ""))
        kept["description"] = f"{before} ({', '.join(said)})" if before else ", ".join(said)
    return kept


def _is_taken(name: str, node: Schema, dialect: Dialect) -> bool:
    value: object = node[name]
    if name not in dialect.keywords:
        return False
    if name == "pattern":
        return isinstance(value, str) and dialect.takes_pattern(value)
    if name == "enum":
        return dialect.takes_truth or not any(isinstance(each, bool) for each in cast("list[object]", value))
    if name == "format":
        return dialect.formats is None or value in dialect.formats
    if name in ("minLength", "maxLength") and not dialect.lengths_with_pattern:
        return not any(other in node and _is_taken(other, node, dialect) for other in ("pattern", "format"))
    return True


def _is_open(node: Schema) -> bool:
    if "patternProperties" in node or node.get("additionalProperties", False) is not False:
        return True
    if not any(name in node for name in _TYPED):
        return True
    kinds: object = node.get("type")
    if kinds == "object":
        return not node.get("properties") and node.get("additionalProperties") is not False
    if kinds == "array":
        return not isinstance(node.get("items"), Mapping) and "prefixItems" not in node
    return False


def _is_recursive(document: Schema) -> bool:
    """Whether some definition leads to itself."""
    named = {f"#/$defs/{name}": each for name, each in cast("Schema", document.get("$defs") or {}).items()}
    named["#"] = {name: value for name, value in document.items() if name != "$defs"}
    leads = {name: {node["$ref"] for node in _walk(each) if "$ref" in node} for name, each in named.items()}
    for _ in leads:  # after as many steps as there are definitions, each is known with all that it leads to
        leads = {name: to.union(*(leads.get(each, set[str]()) for each in to)) for name, to in leads.items()}
    return any(name in to for name, to in leads.items())


def _walk(node: object) -> Iterator[Schema]:
    """All schemas within one, itself included."""
    if not isinstance(node, Mapping):
        return
    schema = cast("Schema", node)
    yield schema
    for name in (*_MAPS, *_LISTS, "oneOf"):
        within: object = schema.get(name) or ()
        parts = cast("Schema", within).values() if isinstance(within, Mapping) else cast("list[object]", within)
        for each in parts:
            yield from _walk(each)
    for name in _SINGLES:
        yield from _walk(schema.get(name))
