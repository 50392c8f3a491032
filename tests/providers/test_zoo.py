"""What servers of OpenAI's protocol really do, and what must come of it: a row of the zoo each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from loresmith.jobs import Job, JobManager
from loresmith.llm.errors import RETRYABLE_CODES, GenerationError
from loresmith.llm.port import Final, Usage
from loresmith.llm.wire import WireEvent
from loresmith.llm_service.call import Call
from loresmith.llm_service.modes import OutputMode
from loresmith.llm_service.provider import CallLimits, Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.schema import output_schema
from tests.llm_service.openai_server import Exchange, OpenAIServer
from tests.llm_service.orders import KNIGHT, VALID, order
from tests.providers.servers import chat_says
from tests.providers.whole_stack import stack
from tests.providers.zoo import BEHAVIOURS, ROWS, Behaviour, Zoo
from tests.providers.zoo_plays import way
from tests.waiting import wait_until


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def zoo() -> AsyncIterator[Zoo]:
    server = Zoo()
    await server.start()
    yield server
    await server.stop()


async def asked(provider: Provider, *, into: list[WireEvent], times: int = 1) -> None:
    async with AsyncExitStack() as stack:
        route = Route([provider])
        for resource in route.resources():
            await stack.enter_async_context(resource)
        for _ in range(times):
            async for event in Call(route, order(), reminder_seconds=0.05).events():
                into.append(event)  # noqa: PERF401 (they are kept when it fails)


@pytest.mark.parametrize("behaviour", ROWS, ids=lambda row: row.name)
@pytest.mark.asyncio(loop_scope="module")
async def test_each_behaviour_comes_to_what_it_must(zoo: Zoo, behaviour: Behaviour) -> None:
    before = len(zoo.exchanges)
    url = zoo.url.removesuffix("/v1") + behaviour.path
    events: list[WireEvent] = []
    error: GenerationError | None = None
    try:
        await asked(find_provider(f"openai-compatible:{behaviour.name}", base_url=url, api_key="k"), into=events)
    except GenerationError as raised:
        error = raised
    assert len(zoo.exchanges) - before == behaviour.calls
    assert (error and error.code) == behaviour.code, error
    if error is not None:
        assert behaviour.message in error.message
        assert error.retry_after_seconds == behaviour.retry_after
        return
    (final,) = (event.json for event in events if isinstance(event, Final))
    assert output_schema(KNIGHT).judge(final).valid
    usage = events[-1]
    assert isinstance(usage, Usage)
    if behaviour.tokens is not None:
        assert (usage.input_tokens, usage.output_tokens) == behaviour.tokens
    assert usage.input_tokens > 0
    assert 0 < usage.output_tokens < 1000


@pytest.mark.parametrize("behaviour", ROWS, ids=lambda row: row.name)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_job_comes_to_what_it_must(zoo: Zoo, behaviour: Behaviour, redis_url: str, tmp_path: Path) -> None:
    url = zoo.url.removesuffix("/v1") + behaviour.path
    provider = find_provider(f"openai-compatible:{behaviour.name}", base_url=url, api_key="k")
    async with stack(provider, redis_url, tmp_path) as manager:
        job = await manager.create("generate_characters", {"theme": "fantasy", "count": 1})
        view = await wait_until(lambda: settled(manager, job.id))
    assert view is not None
    if behaviour.code is None:
        assert view.state == "completed", view
    elif behaviour.code in RETRYABLE_CODES and behaviour.retryable is None:
        assert view.state == "retrying"
        assert behaviour.message in view.message
    else:
        assert view.state == "failed"
        assert view.error_detail
        assert view.error_detail.code == behaviour.code
        assert behaviour.message in view.error_detail.message


async def settled(manager: JobManager, job_id: str) -> Job | None:
    """The job, once nothing more comes of it soon."""
    job = await manager.get(job_id)
    return job if job.done or job.state == "retrying" else None


def test_the_zoo_has_forty_behaviours_each_with_a_source() -> None:
    assert len(BEHAVIOURS) == len(ROWS) >= 40
    assert all(row.source and row.what for row in ROWS)


async def test_what_a_server_refuses_is_asked_once(openai: OpenAIServer) -> None:
    ways: list[str] = []

    async def play(exchange: Exchange) -> None:
        ways.append(way(exchange.body))
        await BEHAVIOURS["deepseek"].play(exchange, VALID)

    openai.answers = [play]
    events: list[WireEvent] = []
    await asked(find_provider("openai-compatible:m", base_url=openai.url), into=events, times=3)
    assert ways == ["json_schema", "tool", "tool", "tool"]


async def test_a_way_that_is_set_is_the_only_one(openai: OpenAIServer) -> None:
    openai.answers = [lambda exchange: BEHAVIOURS["deepseek"].play(exchange, VALID)]
    fixed = find_provider("openai-compatible:m", base_url=openai.url, output=OutputMode.JSON_SCHEMA)
    with pytest.raises(GenerationError, match="rejected the request"):
        await asked(fixed, into=[])
    events: list[WireEvent] = []
    for mode in (OutputMode.JSON_OBJECT, OutputMode.WORDS, OutputMode.TOOL):
        await asked(find_provider("openai-compatible:m", base_url=openai.url, output=mode), into=events)
    assert [way(exchange.body) for exchange in openai.exchanges[1:]] == ["json_object", "words", "tool"]


async def test_answers_need_not_be_streamed(openai: OpenAIServer) -> None:
    openai.answers = [chat_says(VALID)]
    events: list[WireEvent] = []
    await asked(find_provider("openai-compatible:m", base_url=openai.url, streams=False), into=events)
    assert not openai.exchanges[0].body.get("stream")
    assert [event.json for event in events if isinstance(event, Final)] == [VALID]


@pytest.mark.parametrize("sign", [": OPENROUTER PROCESSING\n\n", 'data: {"choices": []}\n\n'])
async def test_signs_of_life_keep_a_slow_model_alive(openai: OpenAIServer, sign: str) -> None:
    limits = CallLimits(silence_seconds=0.4)

    async def play(exchange: Exchange) -> None:
        await exchange.head()
        deadline = asyncio.get_running_loop().time() + 1.2  # three times the silence that is allowed
        while asyncio.get_running_loop().time() < deadline:
            await exchange.send(sign)
            await asyncio.sleep(0.05)  # the pace of the signs
        await exchange.chunk({"content": VALID}, finish="stop")
        await exchange.send("data: [DONE]\n\n")

    openai.answers = [play]
    events: list[WireEvent] = []
    await asked(find_provider("openai-compatible:m", base_url=openai.url, limits=limits), into=events)
    assert [event.json for event in events if isinstance(event, Final)] == [VALID]


async def test_a_model_that_sends_nothing_has_failed(openai: OpenAIServer) -> None:
    async def play(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.disconnected.wait()

    openai.answers = [play]
    limits = CallLimits(silence_seconds=0.3)
    with pytest.raises(GenerationError, match=r"sent nothing for 0\.3 s") as raised:
        await asked(find_provider("openai-compatible:m", base_url=openai.url, limits=limits), into=[])
    assert raised.value.code == "provider_timeout"
    async with asyncio.timeout(5):
        await openai.exchanges[0].disconnected.wait()


async def test_no_call_costs_more_than_four_requests(openai: OpenAIServer) -> None:
    async def play(exchange: Exchange) -> None:
        if way(exchange.body) == "words":
            await chat_says('{"name": "no"}')(exchange)
        else:
            await BEHAVIOURS["no-formats"].play(exchange, VALID)

    openai.answers = [play]
    with pytest.raises(GenerationError, match="breaks its schema"):
        await asked(find_provider("openai-compatible:m", base_url=openai.url), into=[])
    assert len(openai.exchanges) == 4
