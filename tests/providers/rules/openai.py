"""Rules of OpenAI's structured outputs, for the chat and the responses protocol, and of Azure's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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

SUPPORTED = Source(
    "OpenAI, Structured model outputs: Supported schemas",
    "https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas",
    "2026-11-30",
)
NAME = Source(
    "OpenAI API reference: response_format.json_schema.name",
    "https://developers.openai.com/api/reference/resources/chat",
    "2026-11-30",
)
REFUSED_DEFAULT = Source(
    "openai.BadRequestError: In context=('properties', 'placeholder'), 'default' is not permitted",
    "https://zenn.dev/nicopin/scraps/a8d8f53f5faebb",
    "2026-11-30",
)
UNTYPED = Source(
    "pydantic-ai issue 4425: strict mode refuses a schema without a 'type' key",
    "https://github.com/pydantic/pydantic-ai/issues/4425",
    "2026-11-30",
)
AZURE = Source(
    "Azure OpenAI, How to use structured outputs: Unsupported type-specific keywords",
    "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs",
    "2026-11-30",
)
_WORDS = frozenset(
    [
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "definitions",
        "description",
        "enum",
        "items",
        "properties",
        "required",
        "type",
    ]
)
_LIMITS = frozenset(
    [
        "pattern",
        "format",
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "minItems",
        "maxItems",
    ]
)
_FORMATS = frozenset(["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"])
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _object(node: Schema, _: Place) -> str | None:
    if "object" not in kinds(node):
        return None
    if node.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false"
    missing = set(node.get("properties", {})) ^ set(node.get("required", []))
    if missing:
        return f"'required' is required to be supplied and to be an array including every key: {sorted(missing)}"
    return None


def _typed(node: Schema, place: Place) -> str | None:
    if "type" in node or "$ref" in node or "anyOf" in node or place[-1:] == ("additionalProperties",):
        return None
    return "schema must have a 'type' key"


def _array(node: Schema, _: Place) -> str | None:
    if "array" in kinds(node) and not isinstance(node.get("items"), Mapping):
        return "array schema missing items"
    return None


def _reference(node: Schema, _: Place) -> str | None:
    beside = set(node) - {"$ref", "$defs", "definitions"}
    return f"$ref cannot have keywords {sorted(beside)}" if "$ref" in node and beside else None


def _format(node: Schema, _: Place) -> str | None:
    found = node.get("format")
    return f"{found!r} is not a valid format" if found is not None and found not in _FORMATS else None


def _pattern(node: Schema, _: Place) -> str | None:
    return "look-around is not permitted" if re.search(r"\(\?[=!<]", str(node.get("pattern", ""))) else None


def _root(node: Schema, _: Place) -> str | None:
    return "schema must be a JSON Schema of 'type: \"object\"'" if node.get("type") != "object" else None


def _size(node: Schema, _: Place) -> str | None:
    nodes = [each for each, _ in walk(node)]
    if sum(len(each.get("properties", {})) for each in nodes) > 5000:
        return "more than 5000 object properties"
    if sum(len(each.get("enum", [])) for each in nodes) > 1000:
        return "more than 1000 enum values"
    deepest = max(place.count("properties") for _, place in walk(node))
    return "more than 10 levels of nesting" if deepest > 10 else None


STRICT = (
    STANDARD_ONLY,
    Rule("no default", REFUSED_DEFAULT, lambda node, _: "'default' is not permitted" if "default" in node else None),
    only(_WORDS | _LIMITS, SUPPORTED),
    Rule("the root is an object and no anyOf", SUPPORTED, _root, root_only=True),
    Rule("all properties are required, and no others", SUPPORTED, _object),
    Rule("each node has a type", UNTYPED, _typed),
    Rule("each array has items", UNTYPED, _array),
    Rule("nothing stands next to a reference", SUPPORTED, _reference),
    Rule("formats that are supported", SUPPORTED, _format),
    Rule("no look-around in a pattern", SUPPORTED, _pattern),
    Rule("limits on size", SUPPORTED, _size, root_only=True),
)
AZURE_STRICT = (*STRICT, only(_WORDS, AZURE, "no limits on values"))
LOOSE = (STANDARD_ONLY, Rule("the root is an object", SUPPORTED, _root, root_only=True))


def check(body: Mapping[str, Any], *, rules: tuple[Rule, ...] = STRICT) -> Refusal | None:
    """What OpenAI answers to a request whose schema it does not take."""
    for where, name, schema, strict in schemas(body):
        if not _NAME.fullmatch(name):
            return _refusal(where, f"Invalid '{where}.name': string does not match pattern.", "invalid_value")
        if broken := first_broken(schema, rules if strict else LOOSE):
            _, place, problem = broken
            message = f"Invalid schema for {where} '{name}': In context={place!r}, {problem}."
            return _refusal(where, message, "invalid_json_schema")
    return None


def schemas(body: Mapping[str, Any]) -> list[tuple[str, str, Schema, bool]]:
    """All schemas of a request: where it stands, its name, and whether it is strict."""
    found: list[tuple[str, str, Schema, bool]] = []
    given: Any = body
    chat: dict[str, Any] = given.get("response_format") or {}
    text: dict[str, Any] = given.get("text") or {}
    tools: list[dict[str, Any]] = given.get("tools") or []
    if asked := chat.get("json_schema"):
        found.append(("response_format", *_parts(asked, asked["schema"])))
    form: dict[str, Any] = text.get("format") or {}
    if form.get("type") == "json_schema":
        found.append(("text.format", *_parts(form, form["schema"])))
    for tool in tools:
        function = tool.get("function", tool)
        found.append(("function", *_parts(function, function["parameters"])))
    return found


def _parts(asked: Any, schema: Any) -> tuple[str, Schema, bool]:
    return str(asked["name"]), schema, bool(asked.get("strict"))


def _refusal(where: str, message: str, code: str) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": where, "code": code}
    return Refusal(400, message, {"error": error})
