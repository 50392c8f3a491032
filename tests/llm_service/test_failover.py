"""A route of models: another takes over when one fails, as long as nothing was shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, GenerationEvent, Usage
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import REST_SECONDS, Route
from loresmith.llm_service.server import LoreServer
from tests.llm_service import anthropic_server
from tests.llm_service.openai_server import Answer, Exchange, OpenAIServer, fails, goes_silent, refuses, says
from tests.llm_service.orders import VALID, collect, final_of, order
from tests.waiting import wait_until


@pytest.fixture
async def second() -> AsyncIterator[OpenAIServer]:
    """Another provider."""
    server = OpenAIServer()
    await server.start()
    yield server
    await server.stop()


def provider(server: OpenAIServer, name: str) -> Provider:
    return replace(find_provider(f"openai-compatible:{name}", base_url=server.url), name=name)


@pytest.fixture
async def route(openai: OpenAIServer, second: OpenAIServer) -> Route:
    openai.answers = second.answers = [says(VALID)]
    return Route([provider(openai, "first"), provider(second, "second")], first_token_seconds=2.0)


@pytest.fixture
async def model(route: Route) -> AsyncIterator[GrpcLoreModel]:
    server = LoreServer(route, queued_reminder_seconds=0.05)
    model = GrpcLoreModel(f"127.0.0.1:{await server.start('127.0.0.1:0')}")
    yield model
    await model.close()
    await server.stop()


async def says_nothing(exchange: Exchange) -> None:
    """Takes the request and never answers."""
    await exchange.disconnected.wait()


async def begins_and_says_nothing(exchange: Exchange) -> None:
    """Answers with a head, and nothing else."""
    await exchange.head()
    await exchange.disconnected.wait()


FAILURES: dict[str, Answer] = {
    "unavailable": fails("503 Service Unavailable"),
    "not known": fails("404 Not Found"),
    "bad credentials": fails("401 Unauthorized"),
    "rate limited": fails("429 Too Many Requests"),
    "rate limited for long": fails("429 Too Many Requests", Retry_After="60"),
    "no quota": fails("429 Too Many Requests", {"code": "insufficient_quota", "message": "pay"}),
    "no answer": says_nothing,
    "no first token": begins_and_says_nothing,
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_another_model_takes_over_and_is_named(
    model: GrpcLoreModel, openai: OpenAIServer, second: OpenAIServer, failure: str
) -> None:
    openai.answers = [FAILURES[failure]]
    events = await collect(model, order())
    assert final_of(events) == VALID
    assert isinstance(usage := events[-1], Usage)
    assert usage.model == "second"
    assert usage.output_tokens == 7
    assert (len(openai.exchanges), len(second.exchanges)) == (1, 1)


async def test_a_model_that_waits_for_its_first_token_lets_go_of_the_connection(
    model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [says_nothing]
    await collect(model, order())
    async with asyncio.timeout(2):
        await openai.exchanges[0].disconnected.wait()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refuses, "content_refused"),
        (fails("400 Bad Request", {"code": "context_length_exceeded", "message": "long"}), "context_too_long"),
        (says("no object"), "output_invalid"),
        (fails("429 Too Many Requests", Retry_After="1"), "provider_rate_limited"),
    ],
)
async def test_what_another_model_would_not_mend_is_an_error_at_once(
    model: GrpcLoreModel, openai: OpenAIServer, second: OpenAIServer, answer: Answer, code: str
) -> None:
    openai.answers = [answer]
    with pytest.raises(GenerationError) as raised:
        await collect(model, order())
    assert raised.value.code == code
    assert not second.exchanges


async def test_once_a_field_was_shown_no_other_takes_over(
    model: GrpcLoreModel, openai: OpenAIServer, second: OpenAIServer
) -> None:
    async def breaks_after_a_field(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.chunk({"content": '{"name":"Kael","traits":["st'})

    openai.answers = [breaks_after_a_field]
    events: list[GenerationEvent] = []
    with pytest.raises(GenerationError) as raised:
        await collect(model, order(), into=events)
    assert raised.value.code == "provider_unavailable"
    assert max(event.fields_done for event in events if isinstance(event, FieldsDone)) == 1
    assert not second.exchanges


async def test_when_all_fail_the_error_that_may_pass_is_told(
    model: GrpcLoreModel, openai: OpenAIServer, second: OpenAIServer
) -> None:
    openai.answers = [fails("429 Too Many Requests", Retry_After="60")]
    second.answers = [fails("401 Unauthorized")]
    with pytest.raises(GenerationError) as raised:
        await collect(model, order())
    assert (raised.value.code, raised.value.retryable) == ("provider_rate_limited", True)
    assert raised.value.retry_after_seconds == 60


async def test_a_model_that_failed_is_asked_last_for_a_while(openai: OpenAIServer, second: OpenAIServer) -> None:
    now = 0.0
    route = Route([provider(openai, "first"), provider(second, "second")], clock=lambda: now)

    def names() -> list[str]:
        return [station.provider.name for station in route.order()]

    assert names() == ["first", "second"]
    route.rest(route.first)
    assert names() == ["second", "first"]
    now = REST_SECONDS
    assert names() == ["first", "second"]


async def test_a_provider_of_another_kind_takes_over(
    openai: OpenAIServer, second: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", second.url.removesuffix("/v1"))
    openai.answers = [fails("500 Internal Server Error")]
    second.answers = [anthropic_server.says(VALID)]
    server = LoreServer(Route([provider(openai, "first"), find_provider("anthropic:claude-haiku-4-5")]))
    model = GrpcLoreModel(f"127.0.0.1:{await server.start('127.0.0.1:0')}")
    usage = (await collect(model, order()))[-1]
    await model.close()
    await server.stop()
    assert isinstance(usage, Usage)
    assert usage.model == "claude-haiku-4-5"
    assert usage.cost_usd


async def test_calls_that_fail_over_give_their_slots_back(
    model: GrpcLoreModel, openai: OpenAIServer, second: OpenAIServer
) -> None:
    broken = asyncio.Event()

    async def fails_later(exchange: Exchange) -> None:
        await broken.wait()
        await fails("503 Service Unavailable")(exchange)

    openai.answers = [fails_later, goes_silent]
    tasks = [asyncio.create_task(collect(model, order(seed=number))) for number in range(20)]
    slots = find_provider("openai-compatible:first", base_url=openai.url).concurrent_calls
    await wait_until(lambda: len(openai.exchanges) == slots)
    broken.set()
    await wait_until(lambda: sum(task.done() for task in tasks) == 20 - (slots - 1))
    assert len(openai.exchanges) == slots, "those who waited for a slot are not sent to a model that has failed"
    for task in tasks:
        task.cancel()
    openai.answers = [says(VALID)]
    async with asyncio.timeout(5):
        assert final_of(await collect(model, order())) == VALID
