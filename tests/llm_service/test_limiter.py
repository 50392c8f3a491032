"""The limiter: who waits, who is told, and what is given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm_service.ledger import AwayError, Hindrance, Ledger, Limits, LocalLedger
from loresmith.llm_service.limiter import Limiter
from loresmith.llm_service.outbox import Outbox
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from tests.llm_service.openai_server import OpenAIServer, fails, goes_silent, says
from tests.llm_service.orders import VALID, collect, final_of, order
from tests.waiting import wait_until


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def opened(stack: AsyncExitStack, limits: Limits, ledger: Ledger | None = None) -> Limiter:
    limiter = Limiter("openai-compatible", limits, ledger)
    await stack.enter_async_context(limiter.open())
    return limiter


async def served(stack: AsyncExitStack, provider: Provider, limiter: Limiter, silence: float = 90) -> GrpcLoreModel:
    """A client, with its patience for silence, of a service with that limiter."""
    server = LoreServer(Route([provider], limiters=[limiter]), queued_reminder_seconds=0.05)
    port = await server.start("127.0.0.1:0")
    stack.push_async_callback(server.stop)
    model = GrpcLoreModel(f"127.0.0.1:{port}", call_silence_seconds=silence)
    stack.push_async_callback(model.close)
    return model


def compatible(openai: OpenAIServer) -> Provider:
    return find_provider("openai-compatible:knight-1", base_url=openai.url)


async def test_requests_begin_in_the_order_in_which_they_came(stack: AsyncExitStack) -> None:
    limiter = await opened(stack, Limits(calls=1))
    begun: list[str] = []

    async def work(name: str) -> None:
        await limiter.enter(name, 5)
        begun.append(name)
        limiter.leave(name, 5)

    names = [str(number) for number in range(20)]
    await asyncio.gather(*(work(name) for name in names))
    assert begun == names


async def test_who_is_cancelled_in_the_line_gives_its_place_back(stack: AsyncExitStack) -> None:
    limiter = await opened(stack, Limits(calls=1))
    await limiter.enter("a", 5)
    waiting = [asyncio.create_task(limiter.enter(name, 5)) for name in "bc"]
    done, _ = await asyncio.wait(waiting, timeout=0.3)
    assert not done
    waiting[0].cancel()
    limiter.leave("a", 5)
    async with asyncio.timeout(5):
        assert await waiting[1] == "c"


async def test_a_call_larger_than_the_limit_is_refused_at_once(stack: AsyncExitStack) -> None:
    limiter = await opened(stack, Limits(tokens=100))
    with pytest.raises(GenerationError, match="101 tokens is more than the 100 a minute") as raised:
        await limiter.enter("a", 101)
    assert (raised.value.code, raised.value.retryable) == ("provider_rate_limited", False)


async def test_waiting_for_the_limiter_is_told_and_is_no_silence(stack: AsyncExitStack, openai: OpenAIServer) -> None:
    openai.answers = [goes_silent, says(VALID)]
    limiter = Limiter("openai-compatible", Limits(calls=1))
    model = await served(stack, compatible(openai), limiter, silence=0.4)
    patient = GrpcLoreModel(model._address)
    stack.push_async_callback(patient.close)
    first = asyncio.create_task(collect(patient, order()))
    await openai.request_number(1)
    second = asyncio.create_task(collect(model, order()))
    done, _ = await asyncio.wait({second}, timeout=1.0)
    assert not done, "waiting for the limiter is not the silence of a model"
    assert len(openai.exchanges) == 1
    first.cancel()
    assert final_of(await second) == VALID


async def test_a_call_cut_off_counts_with_what_the_model_wrote(stack: AsyncExitStack, openai: OpenAIServer) -> None:
    openai.answers = [goes_silent, says(VALID)]
    model = await served(stack, compatible(openai), Limiter("openai-compatible", Limits(tokens=1000)))
    first = asyncio.create_task(collect(model, order(max_output_tokens=500)))
    await openai.request_number(1)
    first.cancel()
    final = asyncio.create_task(collect(model, order(max_output_tokens=500)))
    async with asyncio.timeout(5):
        assert final_of(await final) == VALID, "its reservation of 500 was settled with a few"


async def test_a_wish_of_the_provider_pauses_all_its_calls(stack: AsyncExitStack, openai: OpenAIServer) -> None:
    openai.answers = [fails("429 Too Many Requests", Retry_After="1"), says(VALID)]
    model = await served(stack, compatible(openai), Limiter("openai-compatible", Limits()))
    with pytest.raises(GenerationError):
        await collect(model, order())
    clock = asyncio.get_running_loop().time
    refused = clock()
    assert final_of(await collect(model, order())) == VALID
    assert clock() - refused > 0.8


async def test_a_long_pause_is_not_waited_out(stack: AsyncExitStack, openai: OpenAIServer) -> None:
    openai.answers = [fails("429 Too Many Requests", Retry_After="100"), says(VALID)]
    model = await served(stack, compatible(openai), Limiter("openai-compatible", Limits()))
    for _ in range(2):
        with pytest.raises(GenerationError) as raised:
            await collect(model, order())
        assert raised.value.code == "provider_rate_limited"
        assert raised.value.retry_after_seconds == pytest.approx(100, abs=5)
    assert len(openai.exchanges) == 1


class Flaky(LocalLedger):
    """A ledger that is away while told so."""

    away = True

    async def take(self, request: str, tokens: int) -> Hindrance | None:
        if self.away:
            raise AwayError("away")
        return await super().take(request, tokens)

    async def leave(self, request: str, tokens: int | None) -> None:
        if self.away:
            raise AwayError("away")
        await super().leave(request, tokens)

    async def hold(self, requests: Sequence[str]) -> None:
        if self.away:
            raise AwayError("away")


async def test_while_redis_is_away_limited_calls_wait_and_unlimited_ones_go_on(stack: AsyncExitStack) -> None:
    free = await opened(stack, Limits(), Flaky(Limits()))
    assert await free.enter("a", 5) == "a"
    ledger = Flaky(Limits(calls=1))
    limited = await opened(stack, Limits(calls=1), ledger)
    waiting = asyncio.create_task(limited.enter("a", 5))
    done, _ = await asyncio.wait({waiting}, timeout=0.7)
    assert not done
    ledger.away = False
    async with asyncio.timeout(5):
        await waiting


async def test_a_message_that_cannot_be_sent_holds_up_no_other(stack: AsyncExitStack) -> None:
    sent: list[str] = []

    async def breaks() -> None:
        raise RuntimeError("a bug")

    async def works() -> None:
        sent.append("told")

    outbox = await stack.enter_async_context(Outbox())
    outbox.put(breaks)
    outbox.put(works)
    await wait_until(lambda: sent)


async def test_what_was_used_is_told_once_redis_is_back(stack: AsyncExitStack) -> None:
    ledger = Flaky(Limits(calls=1))
    ledger.away = False
    limiter = await opened(stack, Limits(calls=1), ledger)
    await limiter.enter("a", 5)
    ledger.away = True
    limiter.leave("a", 5)
    waiting = asyncio.create_task(limiter.enter("b", 5))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    ledger.away = False
    async with asyncio.timeout(5):
        await waiting
    await wait_until(lambda: ledger._running == {"b"})
