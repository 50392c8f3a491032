"""Schemas of all shapes leave the process as each provider takes them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer

from loresmith.llm.port import Final, GenerationRequest
from loresmith.llm_service.call import Call
from loresmith.llm_service.dialects import GOOGLE
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.sendable import sendable
from tests.llm_service.orders import KNIGHT
from tests.providers.rules import anthropic, decoders, gemini, openai
from tests.providers.rules.schemas import STANDARD_ONLY, first_broken, walk
from tests.providers.servers import PROVIDERS, ProviderServer
from tests.providers.shapes import PLAIN, SHAPES, Closed, Limited, Open, WithDefaults


def request_for(shape: type[BaseModel]) -> GenerationRequest:
    return GenerationRequest("You write.", "One of them.", shape.model_json_schema(), schema_name="thing")


@pytest.fixture(params=PROVIDERS)
async def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProviderServer]:
    async with PROVIDERS[request.param]() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


async def finals(server: ProviderServer, shapes: tuple[type[BaseModel], ...]) -> list[str]:
    """Asks for one object of each shape."""
    found: list[str] = []
    provider = provider_at(server)
    async with AsyncExitStack() as stack:
        route = Route([provider])
        for resource in route.resources():
            await stack.enter_async_context(resource)
        for shape in shapes:
            found += [
                event.json async for event in Call(route, request_for(shape)).events() if isinstance(event, Final)
            ]
    return found


def provider_at(server: ProviderServer) -> Provider:
    return find_provider(server.model, base_url=server.environment.get("LORESMITH_MODEL_BASE_URL"), api_key="test-key")


ANSWERED = tuple(shape for shape in SHAPES if shape.__name__ != "Formats")  # no writer of these patterns here


async def test_each_provider_takes_each_shape_at_the_first_request(server: ProviderServer) -> None:
    texts = await finals(server, ANSWERED)
    assert server.refused == []
    assert len(server.bodies) == len(ANSWERED)
    for shape, text in zip(ANSWERED, texts, strict=True):
        shape.model_validate_json(text)


async def test_each_provider_takes_formats_and_patterns(server: ProviderServer) -> None:
    formats = next(shape for shape in SHAPES if shape.__name__ == "Formats")
    answer = {
        "day": "2026-01-02",
        "moment": "2026-01-02T03:04:05Z",
        "key": "7f3a7a5e-6a3d-4a5e-9b0a-0d7c2f4b1e11",
        "address": None,
        "page": "https://example.com/",
        "price": "1.50",
        "code": "AB12",
        "word": "abc",
        "plain": "abc",
    }
    server.write = lambda _schema, _body, _number: json.dumps(answer)
    assert [json.loads(text) for text in await finals(server, (formats,))] == [answer]
    assert server.refused == []


async def test_no_private_keyword_leaves_the_process(server: ProviderServer) -> None:
    await finals(server, (Closed,))
    sent = json.dumps(server.bodies)
    assert "x-note" not in sent
    assert "x-pattern" not in sent
    assert "x-ray" in sent, "a property may have any name"


@pytest.mark.parametrize("name", ["openai", "openai-chat"])
async def test_openai_is_asked_strictly_wherever_that_says_it_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with PROVIDERS[name]() as server:
        for variable, value in server.environment.items():
            monkeypatch.setenv(variable, value)
        await finals(server, (*PLAIN, Open))
        strict = [schema[3] for body in server.bodies for schema in openai.schemas(body)]
    assert strict == [True] * len(PLAIN) + [False], "properties of any name cannot be said strictly"


async def test_limits_that_a_provider_cannot_hold_are_validated_here(server: ProviderServer) -> None:
    good = {"name": "Ann Bell", "text": "x", "strength": 3, "luck": 0.5, "steps": 4}
    bad = {**good, "name": "N" * 41}
    server.write = lambda _, __, number: json.dumps(bad if number == 1 else good)
    assert [json.loads(text) for text in await finals(server, (Limited,))] == [good]
    assert len(server.bodies) == 2
    assert server.refused == []


async def test_a_default_may_be_left_out_by_a_model(server: ProviderServer) -> None:
    server.write = lambda _schema, _body, _number: '{"name":"Ann"}'
    (text,) = await finals(server, (WithDefaults,))
    assert WithDefaults.model_validate_json(text).title == "Sir"
    assert len(server.bodies) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_gemini_takes_each_shape_through_its_own_protocol(shape: type[BaseModel]) -> None:
    schema = GoogleJsonSchemaTransformer(sendable(shape.model_json_schema(), GOOGLE), strict=None).walk()
    assert first_broken(schema, gemini.RULES) is None
    Draft202012Validator.check_schema(schema)


def test_a_limit_that_is_not_sent_stands_in_the_description() -> None:
    schema = sendable(Limited.model_json_schema(), GOOGLE)
    described = schema["properties"]["name"]["description"]
    assert described == "Given name and surname. (maxLength=40, minLength=3)"


# What commit b7b9620 sent for a character, shortened.
SENT_BEFORE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3, "x-pattern": "O[a-z]+ N[a-z]+"},
        "trait": {"enum": ["brave", "stern"], "description": "One word."},
    },
    "required": ["name", "trait"],
    "additionalProperties": False,
}


def body_with(schema: dict[str, Any], *, strict: bool) -> dict[str, Any]:
    asked = {"name": "item", "schema": schema, "strict": strict}
    return {"model": "m", "max_tokens": 9, "response_format": {"type": "json_schema", "json_schema": asked}}


def without(keyword: str, schema: dict[str, Any]) -> dict[str, Any]:
    copy = json.loads(json.dumps(schema))
    for node, _ in walk(copy):
        node.pop(keyword, None)
    return copy


@pytest.mark.parametrize("strict", [True, False])
def test_the_checkers_refuse_the_private_keyword_that_was_sent(*, strict: bool) -> None:
    body = body_with(SENT_BEFORE, strict=strict)
    for check in (openai.check, gemini.check, decoders.check_ollama, decoders.check_llama_cpp, decoders.check_vllm):
        assert "x-pattern" in json.dumps(getattr(check(body), "body", {})) or check is decoders.check_ollama
        assert check(body) is not None
    asked = {"output_config": {"format": {"type": "json_schema", "schema": SENT_BEFORE}}, "max_tokens": 9}
    refusal = anthropic.check(asked)
    assert refusal is not None
    assert "x-pattern" in refusal.reason


def test_the_checkers_refuse_a_literal_without_a_type() -> None:
    sent = without("minLength", without("x-pattern", SENT_BEFORE))
    refusal = openai.check(body_with(sent, strict=True))
    assert refusal is not None
    assert "('properties', 'trait'), schema must have a 'type' key" in refusal.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"required": ["name"]}, "'required' is required"),
        ({"additionalProperties": True}, "'additionalProperties' is required"),
        ({"default": {}}, "'default' is not permitted"),
        ({"minProperties": 1}, "'minProperties' is not permitted"),
        ({"allOf": []}, "'allOf' is not permitted"),
    ],
)
def test_openai_refuses_what_its_strict_mode_does_not_have(change: dict[str, Any], reason: str) -> None:
    refusal = openai.check(body_with({**KNIGHT, **change}, strict=True))
    assert refusal is not None
    assert reason in json.dumps(refusal.body) or "minLength" in refusal.reason
    assert openai.check(body_with({**KNIGHT, **change}, strict=False)) is None


@pytest.mark.parametrize("pattern", ["[a-z]+", r"^\d+$", "^(?=a)b$"])
def test_llama_cpp_refuses_patterns_that_it_makes_no_grammar_of(pattern: str) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string", "pattern": pattern}}}
    assert decoders.check_llama_cpp(body_with(schema, strict=False)) is not None


def test_every_rule_names_its_source() -> None:
    rules = (*openai.STRICT, *openai.AZURE_STRICT, *anthropic.STRUCTURED, *anthropic.TOOL, *gemini.RULES)
    rules += (*decoders.GRAMMAR, *decoders.XGRAMMAR, STANDARD_ONLY)
    assert all(rule.source.url.startswith("https://") and rule.source.read for rule in rules)
