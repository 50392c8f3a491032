"""The JSON schema that asks a model for an object of a pydantic model."""

import inspect
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

Schema = dict[str, Any]

_UNUSED: Final = frozenset({"title", "default", "examples", "example", "deprecated", "readOnly", "writeOnly"})
"""Keywords that cost tokens and tell a model nothing; some providers refuse them."""
_FIRST: Final = ("type", "description")
_MAX_LENGTH_SENT: Final = 300
"""Longer bounds are checked, not sent: a decoder that enforces them cuts a sentence, or refuses the schema."""


def output_schema(model: type[BaseModel], *, fixed: Mapping[str, Any] | None = None) -> Schema:
    """Return the JSON schema (draft 2020-12) of what a model has to write for an object of `model`.

    Not in it: docstrings, titles, defaults, `fixed` values, and fields that can have one value only. A description
    that a model has in its `json_schema_extra` is in it. Definitions stand where they are used, except recursive ones.
    """
    document = model.model_json_schema(by_alias=True, schema_generator=_WithoutDocstrings)
    writer = _SchemaWriter(document.get("$defs", {}))
    if reference := document.get("$ref"):  # a model that refers to itself
        document |= writer.definition(str(reference).removeprefix("#/$defs/"))
        del document["$ref"]
    schema = writer.rewrite({name: value for name, value in document.items() if name != "$defs"})
    for name, value in (fixed or {}).items():
        _remove(schema, name, value)
    if writer.recursive:
        schema["$defs"] = {name: writer.rewrite(writer.definition(name)) for name in sorted(writer.recursive)}
    return schema


class _WithoutDocstrings(GenerateJsonSchema):
    """Leaves docstrings out of a schema: they are for people who read the code."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        return _without_docstring(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> Schema:
        return _without_docstring(super().dataclass_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> Schema:
        return _without_docstring(super().typed_dict_schema(schema), schema.get("cls"))


def _without_docstring(document: Schema, cls: type[Any] | None) -> Schema:
    docstring = getattr(cls, "__doc__", None)
    if docstring and document.get("description") == inspect.cleandoc(docstring):
        del document["description"]
    return document


class _SchemaWriter:
    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._open: list[str] = []
        self.recursive: set[str] = {name for name in definitions if self._reaches(name, name, set())}

    def definition(self, name: str) -> Schema:
        """Return a definition; the description of an enum can only be its docstring."""
        found = self._definitions[name]
        return {key: value for key, value in found.items() if key != "description" or "enum" not in found}

    def rewrite(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.rewrite(each) for each in cast("list[Any]", node)]
        if not isinstance(node, dict):
            return node
        schema = cast("Schema", node)
        if reference := schema.get("$ref"):
            name = str(reference).removeprefix("#/$defs/")
            if name in self.recursive:
                return schema
            return self.rewrite(self.definition(name) | {key: each for key, each in schema.items() if key != "$ref"})
        return self._object(schema) if "properties" in schema else self._plain(schema)

    def _object(self, schema: Schema) -> Schema:
        properties = {
            name: self.rewrite(each) for name, each in schema["properties"].items() if not _has_one_value(each)
        }
        kept = self._plain({key: each for key, each in schema.items() if key not in ("properties", "required")})
        required = [name for name in schema.get("required", ()) if name in properties]
        kept.pop("additionalProperties", None)
        return {**kept, "properties": properties, "required": required, "additionalProperties": False}

    def _plain(self, schema: Schema) -> Schema:
        order = [*(key for key in _FIRST if key in schema), *(key for key in schema if key not in _FIRST)]
        kept = {key: schema[key] for key in order if key not in _UNUSED}
        if kept.get("maxLength", 0) > _MAX_LENGTH_SENT:
            del kept["maxLength"]
        if kept.get("minLength", 2) <= 1:
            del kept["minLength"]
        return {key: self.rewrite(each) if _holds_schemas(key) else each for key, each in kept.items()}

    def _reaches(self, name: str, target: str, seen: set[str]) -> bool:
        for other in _references(self._definitions[name]):
            if other == target:
                return True
            if other not in seen:
                seen.add(other)
                if self._reaches(other, target, seen):
                    return True
        return False


def _holds_schemas(keyword: str) -> bool:
    return keyword not in ("enum", "const", "required", "description", "pattern", "format", "type")


def _has_one_value(schema: Schema) -> bool:
    return "const" in schema and schema.get("default") == schema["const"]


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set[str]().union(*(_references(each) for each in cast("list[Any]", node)))
    if not isinstance(node, dict):
        return set()
    schema = cast("Schema", node)
    found = set[str]().union(*(_references(each) for each in schema.values()))
    if isinstance(reference := schema.get("$ref"), str):
        found.add(reference.removeprefix("#/$defs/"))
    return found


def _remove(schema: Schema, name: str, value: Any) -> None:
    inner = schema["properties"].get(name)
    if inner is None:
        raise ValueError(f"fixed field {name!r} is unknown: expected one of {sorted(schema['properties'])}")
    if isinstance(value, Mapping) and "properties" in inner:
        for key, each in cast("Mapping[str, Any]", value).items():
            _remove(inner, key, each)
        return
    del schema["properties"][name]
    schema["required"] = [each for each in schema["required"] if each != name]


def merge_fixed(value: Any, fixed: Mapping[str, Any]) -> Any:
    """Return the JSON object `value` with the fixed values in their places."""
    merged = dict(cast("dict[str, Any]", value))
    for name, each in fixed.items():
        inner, nested = merged.get(name), isinstance(each, Mapping)
        both = nested and isinstance(inner, dict)
        merged[name] = merge_fixed(inner, cast("Mapping[str, Any]", each)) if both else each
    return merged
