"""Rules of the servers that make a grammar of a schema: llama.cpp, Ollama and vLLM."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.providers.rules import openai
from tests.providers.rules.schemas import STANDARD_ONLY, Place, Refusal, Rule, Schema, Source, first_broken, kinds

LLAMA_CPP = Source(
    "llama.cpp, common/json-schema-to-grammar.cpp at 011c6c3: visit, _visit_pattern, resolve_refs",
    "https://github.com/ggml-org/llama.cpp/blob/011c6c3c305634c65886cf7f32805907f667590c/common/json-schema-to-grammar.cpp",
    "2026-11-30",
)
OLLAMA = Source(
    "Ollama, llm/server.go: Completion (SchemaToGrammar; 'invalid JSON schema in format')",
    "https://github.com/ollama/ollama/blob/main/llm/server.go",
    "2026-11-30",
)
VLLM = Source(
    "vLLM, vllm/v1/structured_output/backend_xgrammar.py at 030141c: has_xgrammar_unsupported_json_features",
    "https://github.com/vllm-project/vllm/blob/030141c1a61f44f6203099f39da0b9cc22e023dd/vllm/v1/structured_output/backend_xgrammar.py",
    "2026-11-30",
)
_PRIMITIVES = frozenset(
    [
        "boolean",
        "decimal-part",
        "integral-part",
        "number",
        "integer",
        "value",
        "object",
        "array",
        "uuid",
        "char",
        "string",
        "null",
    ]
)
_VLLM_FORMATS = frozenset(
    [
        "email",
        "date",
        "time",
        "date-time",
        "duration",
        "ipv4",
        "ipv6",
        "hostname",
        "uuid",
        "uri",
        "uri-reference",
        "uri-template",
        "json-pointer",
        "relative-json-pointer",
    ]
)


def _pattern(node: Schema, _: Place) -> str | None:
    pattern = node.get("pattern")
    if pattern is None or kinds(node) - {"string"}:
        return None
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return "Pattern must start with '^' and end with '$'"
    if re.search(r"\(\?(?!:)", pattern):
        return "Unsupported pattern syntax"
    escapes = set(re.findall(r"\\(.)", pattern)) - set("^$.[]()|{}*+?")
    return f"failed to parse grammar: unknown escape \\{min(escapes)}" if escapes else None


def _type(node: Schema, _: Place) -> str | None:
    if any(name in node for name in ("$ref", "oneOf", "anyOf", "const", "enum")):
        return None
    unknown = kinds(node) - _PRIMITIVES
    return f"Unrecognized schema: {node}" if unknown else None


def _local(node: Schema, _: Place) -> str | None:
    reference = node.get("$ref", "#/")
    return None if reference.startswith("#/") else f"Unsupported ref: {reference}"


def _features(node: Schema, _: Place) -> str | None:
    named = kinds(node)
    bounded = ("pattern" in node or "format" in node) and ("minLength" in node or "maxLength" in node)
    unsupported = (
        (named & {"integer", "number"} and "multipleOf" in node)
        or ("array" in named and {"uniqueItems", "contains", "minContains", "maxContains"} & set(node))
        or ("string" in named and node.get("format", "date") not in _VLLM_FORMATS)
        or ("string" in named and bounded)
        or ("object" in named and "propertyNames" in node and "properties" in node)
        or ("object" in named and "patternProperties" in node and "properties" in node)
    )
    return "The provided JSON schema contains features not supported by xgrammar." if unsupported else None


GRAMMAR = (
    STANDARD_ONLY,
    Rule("a pattern is anchored, without classes and look-around", LLAMA_CPP, _pattern),
    Rule("types that are known", LLAMA_CPP, _type),
    Rule("references stay in the document", LLAMA_CPP, _local),
)
XGRAMMAR = (STANDARD_ONLY, Rule("features that xgrammar has", VLLM, _features))


def check_llama_cpp(body: Mapping[str, Any]) -> Refusal | None:
    """What `llama-server` answers to a request whose schema it makes no grammar of."""
    if problem := _broken(body, GRAMMAR):
        message = f"JSON schema conversion failed:\n{problem}"
        return Refusal(400, message, {"error": {"code": 400, "message": message, "type": "invalid_request_error"}})
    return None


def check_ollama(body: Mapping[str, Any]) -> Refusal | None:
    """What Ollama answers, through its OpenAI protocol, to a schema that it makes no grammar of."""
    if _broken(body, GRAMMAR):
        message = "invalid JSON schema in format"
        error = {"message": message, "type": "api_error", "param": None, "code": None}
        return Refusal(500, message, {"error": error})
    return None


def check_vllm(body: Mapping[str, Any]) -> Refusal | None:
    """What vLLM answers to a request whose schema xgrammar does not take."""
    if problem := _broken(body, XGRAMMAR):
        error = {"message": problem, "type": "BadRequestError", "param": None, "code": 400}
        return Refusal(400, problem, {"error": error})
    return None


def check_compatible(body: Mapping[str, Any]) -> Refusal | None:
    """What the most demanding of them answers; a gateway to OpenAI holds a strict schema to OpenAI's own rules."""
    return check_llama_cpp(body) or check_vllm(body) or openai.check(body)


def _broken(body: Mapping[str, Any], rules: Sequence[Rule]) -> str | None:
    for _, _, schema, _ in openai.schemas(body):
        if broken := first_broken(schema, rules):
            return broken[2]
    return None
