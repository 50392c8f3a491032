"""Rules of Anthropic's structured outputs and of the input schemas of its tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tests.providers.rules.schemas import (
    STANDARD_ONLY,
    Place,
    Refusal,
    Rule,
    Schema,
    Source,
    first_broken,
    kinds,
    only,
    walk,
)

LIMITATIONS = Source(
    "Claude docs, Structured outputs: JSON Schema limitations",
    "https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations",
    "2026-11-30",
)
COMPLEXITY = Source(
    "Claude docs, Structured outputs: Schema complexity limits",
    "https://platform.claude.com/docs/en/build-with-claude/structured-outputs#schema-complexity-limits",
    "2026-11-30",
)
REFUSED_RANGE = Source(
    "req_llm issue 302: For 'integer' type, property 'minimum' is not supported",
    "https://github.com/agentjido/req_llm/issues/302",
    "2026-11-30",
)
TOOLS = Source(
    "Claude docs, Implement tool use: Specifying client tools",
    "https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use",
    "2026-11-30",
)
_WORDS = frozenset(
    [
        "$defs",
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "default",
        "definitions",
        "description",
        "enum",
        "format",
        "items",
        "minItems",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    ]
)
_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"])
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def _unlimited(node: Schema, _: Place) -> str | None:
    limits = "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems uniqueItems"
    kind = next(iter(sorted(kinds(node))), "any")
    return next(
        (f"For {kind!r} type, property {name!r} is not supported" for name in limits.split() if name in node), None
    )


def _object(node: Schema, _: Place) -> str | None:
    if "object" in kinds(node) and node.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    return None


def _fewest(node: Schema, _: Place) -> str | None:
    fewest = node.get("minItems", 0)
    return f"'minItems' of {fewest} is not supported: only 0 and 1 are" if fewest > 1 else None


def _format(node: Schema, _: Place) -> str | None:
    found = node.get("format")
    return f"format {found!r} is not supported" if found is not None and found not in _FORMATS else None


def _enum(node: Schema, _: Place) -> str | None:
    return "complex types in enum" if any(isinstance(each, dict | list) for each in node.get("enum", [])) else None


def _typed(node: Schema, _: Place) -> str | None:
    known = ("type", "$ref", "anyOf", "allOf", "enum", "const")
    return None if any(name in node for name in known) else "Schema type is missing"


def _complexity(node: Schema, _: Place) -> str | None:
    objects = [each for each, place in walk(node) if "properties" in each and "$defs" not in place]
    named = [(each, name, part) for each in objects for name, part in each["properties"].items()]
    if sum(name not in each.get("required", []) for each, name, _ in named) > 24:
        return "Schemas contains too many optional parameters: limit is 24"
    if sum("anyOf" in part or isinstance(part.get("type"), list) for *_, part in named) > 16:
        return "Schemas contains too many parameters with union types: limit is 16"
    return None


def _recursive(node: Schema, _: Place) -> str | None:
    definitions: Schema = node.get("$defs", {})
    for name, each in definitions.items():
        seen, waiting = set[str](), [each]
        while waiting:
            for part, _place in walk(waiting.pop()):
                to = str(part.get("$ref", "")).removeprefix("#/$defs/")
                if to == name or part.get("$ref") == "#":
                    return f"Circular reference detected in schema definitions: {name}"
                if to in definitions and to not in seen:
                    seen.add(to)
                    waiting.append(definitions[to])
    return None


def _tool_root(node: Schema, _: Place) -> str | None:
    if node.get("type") != "object":
        return "input_schema.type: Input should be 'object'"
    combined = [name for name in ("oneOf", "allOf", "anyOf") if name in node]
    return "input_schema does not support oneOf, allOf, or anyOf at the top level" if combined else None


def _property_names(node: Schema, _: Place) -> str | None:
    wrong = [name for name in node.get("properties", {}) if not _PROPERTY.fullmatch(name)]
    return f"Property keys should match pattern '^[a-zA-Z0-9_.-]{{1,64}}$': {wrong}" if wrong else None


STRUCTURED = (
    STANDARD_ONLY,
    Rule("no limits on values", REFUSED_RANGE, _unlimited),
    only(_WORDS, LIMITATIONS),
    Rule("objects are closed", LIMITATIONS, _object),
    Rule("minItems is 0 or 1", LIMITATIONS, _fewest),
    Rule("formats that are supported", LIMITATIONS, _format),
    Rule("values of enum are simple", LIMITATIONS, _enum),
    Rule("each node has a type", LIMITATIONS, _typed),
    Rule("no recursion", LIMITATIONS, _recursive, root_only=True),
    Rule("limits on complexity", COMPLEXITY, _complexity, root_only=True),
)
TOOL = (
    STANDARD_ONLY,
    Rule("the root is an object", TOOLS, _tool_root, root_only=True),
    Rule("names of properties", TOOLS, _property_names),
)


def check(body: Mapping[str, Any]) -> Refusal | None:
    """What Anthropic answers to a request whose schema it does not take."""
    given: Any = body
    config: dict[str, Any] = given.get("output_config") or {}
    asked: Any = config.get("format") or given.get("output_format")
    if asked and (broken := first_broken(asked["schema"], STRUCTURED)):
        return _refusal(f"output_config.format.schema: {broken[2]}")
    for number, tool in enumerate(given.get("tools") or []):
        schema = tool["input_schema"]
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError:
            return _refusal(f"tools.{number}.custom.input_schema: JSON schema is invalid. It must match draft 2020-12")
        if broken := first_broken(schema, STRUCTURED if tool.get("strict") else TOOL):
            return _refusal(f"tools.{number}.custom.{broken[2]}")
    if "max_tokens" not in body:
        return _refusal("max_tokens: Field required")
    return None


def _refusal(message: str) -> Refusal:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}, "request_id": "req_1"}
    return Refusal(400, message, body)
