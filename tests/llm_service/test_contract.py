"""What every provider must come to for the caller, each behind a local server that speaks its protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, GenerationEvent, Partial, Usage
from loresmith.llm_service.provider import find_provider
from tests.llm_service import anthropic_server, openai_server, responses_server
from tests.llm_service.conftest import Serve
from tests.llm_service.openai_server import Answer, Exchange, OpenAIServer
from tests.llm_service.orders import KNIGHT, VALID, collect, final_of, order

Cases = Mapping[str, Sequence[Answer]]
INVALID = '{"name":"Kael","traits":["stern","kind"],"health":900}'
TOO_LONG = {"code": "context_length_exceeded", "message": "long"}
NO_MONEY = {"code": "insufficient_quota", "message": "pay"}


def openai_fails(status: str, kind: str, message: str = "no", **headers: str) -> Answer:
    return openai_server.fails(status, {"type": kind, "message": message}, **headers)


@dataclass
class Protocol:
    """How one provider says what must be understood."""

    model: str
    variables: dict[str, str]
    module: Any
    cases: Mapping[str, Sequence[Answer]]
    fails: Any = openai_fails
    room: int = 0
    """Tokens for thoughts that cannot be turned off."""
    price: float | None = None


OPENAI_CASES: Cases = {
    "context_too_long": [openai_server.fails("400 Bad Request", TOO_LONG)],
    "content_refused": [openai_server.fails("400 Bad Request", {"code": "content_filter", "message": "no"})],
}
COMPATIBLE_CASES: Cases = {
    **OPENAI_CASES,
    "content_refused": [
        *OPENAI_CASES["content_refused"],
        openai_server.refuses,
        openai_server.says("", finish="content_filter"),
    ],
}
ANTHROPIC_CASES: Cases = {
    "context_too_long": [
        anthropic_server.fails("400 Bad Request", "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
    ],
    "content_refused": [anthropic_server.refuses],
    "provider_unavailable": [anthropic_server.overloads, anthropic_server.fails("529 Overloaded", "overloaded_error")],
}
RESPONSES_CASES: Cases = {
    **OPENAI_CASES,
    "content_refused": [
        *OPENAI_CASES["content_refused"],
        responses_server.refuses,
        responses_server.says("", reason="content_filter"),
    ],
    "provider_unavailable": [responses_server.breaks("server_error")],
    "provider_rate_limited": [responses_server.breaks("rate_limit_exceeded")],
}
OPENAI = {"OPENAI_API_KEY": "secret-key", "OPENAI_BASE_URL": "{url}"}
ANTHROPIC = {"ANTHROPIC_API_KEY": "secret-key", "ANTHROPIC_BASE_URL": "{root}"}
PROTOCOLS = {
    "openai": Protocol("openai:gpt-5-mini", OPENAI, responses_server, RESPONSES_CASES, room=1024, price=1.675e-5),
    "openai-chat": Protocol(
        "openai-chat:gpt-5-mini", OPENAI, openai_server, COMPATIBLE_CASES, room=1024, price=1.675e-5
    ),
    "openai-compatible": Protocol("openai-compatible:knight", {}, openai_server, COMPATIBLE_CASES),
    "ollama": Protocol("ollama:qwen3", {"OLLAMA_BASE_URL": "{url}"}, openai_server, COMPATIBLE_CASES),
    "anthropic": Protocol(
        "anthropic:claude-haiku-4-5", ANTHROPIC, anthropic_server, ANTHROPIC_CASES, anthropic_server.fails, price=4.6e-5
    ),
    "anthropic by a tool": Protocol(
        "anthropic:claude-3-5-haiku-latest", ANTHROPIC, anthropic_server, ANTHROPIC_CASES, anthropic_server.fails
    ),
}


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return PROTOCOLS[request.param]


@pytest.fixture
async def model(
    protocol: Protocol, serve: Serve, openai: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> GrpcLoreModel:
    for name, value in protocol.variables.items():
        monkeypatch.setenv(name, value.format(url=openai.url, root=openai.url.removesuffix("/v1")))
    own: dict[str, Any] = {"base_url": openai.url, "api_key": "secret-key"} if not protocol.variables else {}
    return await serve(find_provider(protocol.model, **own))


async def failure(model: GrpcLoreModel, *, into: list[GenerationEvent] | None = None) -> GenerationError:
    with pytest.raises(GenerationError) as raised:
        await collect(model, order(), into=into)
    assert "secret-key" not in raised.value.message
    return raised.value


async def test_a_good_answer(protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [protocol.module.says(VALID)]
    events = await collect(model, order())
    counted = [event.fields_done for event in events if isinstance(event, FieldsDone)]
    assert list(dict.fromkeys(counted)) == [0, 1, 2, 3, 4]
    assert [event.json for event in events if isinstance(event, Partial)][1] == '{"name":"Kael","traits":["stern"]}'
    assert final_of(events) == VALID
    usage = events[-1]
    assert isinstance(usage, Usage)
    assert (usage.model, usage.input_tokens, usage.output_tokens) == (protocol.model.partition(":")[2], 11, 7)
    if protocol.price is not None:
        assert usage.cost_usd == pytest.approx(protocol.price)


async def test_the_request_carries_prompt_schema_limit_and_key(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [protocol.module.says(VALID)]
    await collect(model, order("A knight of the north.", max_output_tokens=99))
    exchange = openai.exchanges[0]
    sent = str(exchange.body)
    assert "A knight of the north." in sent
    assert "You write lore." in sent
    assert all(f"'{name}'" in sent for name in KNIGHT["properties"])
    limits = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    assert [exchange.body[name] for name in limits if name in exchange.body] == [99 + protocol.room]
    assert "job-1" not in sent
    if "secret-key" in str(protocol.variables) or not protocol.variables:
        assert "secret-key" in str(exchange.headers)


@pytest.mark.parametrize(
    ("status", "kind", "code", "retryable"),
    [
        ("429 Too Many Requests", "rate_limit_error", "provider_rate_limited", True),
        ("401 Unauthorized", "authentication_error", "provider_auth", False),
        ("403 Forbidden", "permission_error", "provider_auth", False),
        ("402 Payment Required", "billing_error", "provider_rate_limited", False),
        ("404 Not Found", "not_found_error", "provider_unavailable", False),
        ("400 Bad Request", "invalid_request_error", "provider_unavailable", False),
        ("500 Internal Server Error", "api_error", "provider_unavailable", True),
        ("503 Service Unavailable", "api_error", "provider_unavailable", True),
    ],
)
async def test_a_status_is_understood(
    protocol: Protocol,
    model: GrpcLoreModel,
    openai: OpenAIServer,
    status: str,
    kind: str,
    code: str,
    retryable: bool,
) -> None:
    openai.answers = [protocol.fails(status, kind)]
    events: list[GenerationEvent] = []
    error = await failure(model, into=events)
    assert (error.code, error.retryable) == (code, retryable)
    assert len(openai.exchanges) == 1, "retries belong to the engine"
    assert events == [], "what was refused at once costs nothing"


async def test_what_a_provider_says_in_its_own_way_is_understood(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    expected = [code for code, answers in protocol.cases.items() for _ in answers]
    openai.answers = [answer for answers in protocol.cases.values() for answer in answers]
    assert [(await failure(model)).code for _ in expected] == expected


IN_TWO_HOURS = "in two hours"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({"Retry_After": IN_TWO_HOURS}, 120.0),
        ({}, None),
    ],
)
async def test_the_wish_to_wait_is_passed_on(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer, headers: dict[str, Any], seconds: float | None
) -> None:
    if headers.get("Retry_After") == IN_TWO_HOURS:  # counted from now: the tests before this one took their time
        headers = {"Retry_After": format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)}
    openai.answers = [protocol.fails("429 Too Many Requests", "rate_limit_error", **headers)]
    assert (await failure(model)).retry_after_seconds == seconds


async def test_invalid_output_is_repaired_once_with_the_error_told(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [protocol.module.says(INVALID), protocol.module.says(VALID)]
    events = await collect(model, order())
    assert final_of(events) == VALID
    assert "900 is greater than the maximum of 150" in str(openai.exchanges[1].body)
    assert isinstance(usage := events[-1], Usage)
    assert (usage.input_tokens, usage.output_tokens) == (22, 14)


@pytest.mark.parametrize("text", ['{"name":"Ka', "no object at all", INVALID])
async def test_output_that_stays_invalid_is_an_error_with_its_cost(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer, text: str
) -> None:
    if "tool" in protocol.model and not text.startswith("{"):
        pytest.skip("a tool takes nothing else")
    openai.answers = [protocol.module.says(text)]
    events: list[GenerationEvent] = []
    error = await failure(model, into=events)
    assert (error.code, error.retryable) == ("output_invalid", False)
    assert len(openai.exchanges) == 2
    assert isinstance(usage := events[-1], Usage)
    assert (usage.input_tokens, usage.output_tokens) == (22, 14)


async def test_output_that_was_cut_off_is_said_as_such_after_one_call(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    how = {openai_server: {"finish": "length"}, anthropic_server: {"stop": "max_tokens"}}
    cut = protocol.module.says('{"name":"Kael and', **how.get(protocol.module, {"reason": "max_output_tokens"}))
    openai.answers = [cut, protocol.module.says(VALID)]
    error = await failure(model)
    assert (error.code, error.retryable) == ("output_invalid", False)
    assert "cut off at its limit of 512 tokens" in error.message
    assert "LORESMITH_MODEL_MAX_OUTPUT_TOKENS" in error.message
    assert len(openai.exchanges) == 1


async def test_a_stream_that_breaks_is_no_answer(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    for answer in (protocol.module.breaks_off, protocol.module.babbles):
        openai.answers = [answer]
        error = await failure(model)
        assert (error.code, error.retryable) == ("provider_unavailable", True)


async def test_who_leaves_a_stalled_stream_closes_the_connection(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [protocol.module.goes_silent]
    async with aclosing(model.generate(order(), timeout_seconds=60)) as events:
        assert isinstance(await anext(events), FieldsDone)
    async with asyncio.timeout(2):
        await openai.exchanges[0].disconnected.wait()


async def test_a_slow_answer_is_taken(protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.3)  # the slowness itself
        await protocol.module.says(VALID)(exchange)

    openai.answers = [slow]
    assert final_of(await collect(model, order())) == VALID


async def test_a_provider_that_is_away_is_unavailable(
    protocol: Protocol, model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    await openai.stop()
    error = await failure(model)
    assert (error.code, error.retryable) == ("provider_unavailable", True)
