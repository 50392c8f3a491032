"""Rules of Gemini's structured outputs, asked through its OpenAI protocol.

The package that speaks Gemini's own protocol is no part of the tests' installation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.providers.rules import openai
from tests.providers.rules.schemas import STANDARD_ONLY, Place, Refusal, Rule, Schema, Source, first_broken, only

FIELDS = Source(
    "Gemini API reference, GenerationConfig.responseJsonSchema: the properties that are supported",
    "https://ai.google.dev/api/generate-content#FIELDS.response_json_schema",
    "2026-11-30",
)
_WORDS = frozenset(
    [
        "$id",
        "$defs",
        "$ref",
        "$anchor",
        "type",
        "format",
        "title",
        "description",
        "enum",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "anyOf",
        "oneOf",
        "properties",
        "additionalProperties",
        "required",
        "propertyOrdering",
    ]
)


def _enum(node: Schema, _: Place) -> str | None:
    wrong = [each for each in node.get("enum", []) if isinstance(each, bool) or not isinstance(each, str | int | float)]
    return f"enum takes strings and numbers: {wrong}" if wrong else None


def _reference(node: Schema, _: Place) -> str | None:
    beside = [name for name in node if not name.startswith("$")]
    return f"$ref with {beside}" if "$ref" in node and beside else None


RULES = (
    STANDARD_ONLY,
    only(_WORDS, FIELDS),
    Rule("values of enum are strings and numbers", FIELDS, _enum),
    Rule("next to a reference stands nothing but what begins with a dollar sign", FIELDS, _reference),
)


def check(body: Mapping[str, Any]) -> Refusal | None:
    """What Gemini answers, through its OpenAI protocol, to a request whose schema it does not take."""
    for _, _, schema, _ in openai.schemas(body):
        if broken := first_broken(schema, RULES):
            message = f"Invalid value at generation_config.response_json_schema: {broken[2]}"
            error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}
            return Refusal(400, message, [{"error": error}])
    return None
