"""Two lore services on one Redis: what they share holds for both together."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from tests.llm_service.openai_server import Exchange, OpenAIServer, fails, says
from tests.llm_service.orders import VALID, collect, final_of, order
from tests.loaded import Loaded
from tests.waiting import wait_until

WINDOW_SECONDS = 2.0
TOKENS = 1500
ANSWER_TOKENS = 100

Pair = Callable[..., Awaitable[list[GrpcLoreModel]]]


@asynccontextmanager
async def lore_process(
    loaded: Loaded, redis_url: str, openai: OpenAIServer, *options: str
) -> AsyncGenerator[GrpcLoreModel]:
    """A client of a lore service in a process of its own."""
    words = ("-m", "tests.llm_service.lore_process", "--redis", redis_url, "--base-url", openai.url, *options)
    process = await loaded.run(*words)
    line = b""
    while not line.startswith(b"port "):
        line = await process.stdout.readline()
        assert line, "the process ended"
    model = GrpcLoreModel(f"127.0.0.1:{int(line.split()[1])}")
    try:
        yield model
    finally:
        await model.close()
        process.send_signal(signal.SIGTERM)
        await process.communicate()


@dataclass
class Meter:
    """A provider that books each request with when it came, when it ended, and what it used."""

    booked: list[tuple[float, float, int]] = field(default_factory=list[tuple[float, float, int]])
    now: int = 0
    most: int = 0

    async def answer(self, exchange: Exchange) -> None:
        clock = asyncio.get_running_loop().time
        begin = clock()
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.1)  # what the model takes
        self.now -= 1
        used = len(str(exchange.body["messages"])) // 4 + ANSWER_TOKENS
        self.booked.append((begin, clock(), used))
        await says(VALID, tokens=ANSWER_TOKENS)(exchange)

    def most_in_a_window(self) -> int:
        """Tokens of all requests that overlap one window, for the worst window."""
        opens = [moment for begin, end, _ in self.booked for moment in (begin, end)]
        return max(
            sum(used for start, stop, used in self.booked if start <= at + WINDOW_SECONDS and stop >= at)
            for at in opens
        )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def pair(stack: AsyncExitStack, loaded: Loaded, redis_url: str, openai: OpenAIServer) -> Pair:
    """Starts two services on one Redis."""

    async def pair(*options: str) -> list[GrpcLoreModel]:
        started = (stack.enter_async_context(lore_process(loaded, redis_url, openai, *options)) for _ in range(2))
        return [await each for each in started]

    return pair


async def test_the_provider_never_sees_more_than_the_token_budget(pair: Pair, openai: OpenAIServer) -> None:
    meter = Meter()
    openai.answers = [meter.answer]
    options = ("--window", str(WINDOW_SECONDS), "--tokens", str(TOKENS))
    models = await pair(*options)
    orders = [order(max_output_tokens=ANSWER_TOKENS + 50, seed=number) for number in range(16)]
    calls = [collect(models[number % 2], each) for number, each in enumerate(orders)]
    finals = [final_of(events) for events in await asyncio.gather(*calls)]
    assert finals == [VALID] * 16
    assert len(meter.booked) == 16
    assert meter.most_in_a_window() <= TOKENS
    assert meter.most >= 2, "calls run side by side as far as the budget allows"


async def test_calls_at_once_are_bounded_over_both(pair: Pair, openai: OpenAIServer) -> None:
    meter = Meter()
    openai.answers = [meter.answer]
    models = await pair("--calls", "3")
    await asyncio.gather(*(collect(models[number % 2], order(seed=number)) for number in range(24)))
    assert meter.most == 3


async def test_a_pause_that_the_provider_asks_for_holds_both(pair: Pair, openai: OpenAIServer) -> None:
    openai.answers = [fails("429 Too Many Requests", Retry_After="2"), says(VALID)]
    one, other = await pair("--calls", "9")
    with pytest.raises(GenerationError):
        await collect(one, order())
    clock = asyncio.get_running_loop().time
    refused = clock()
    assert final_of(await collect(other, order())) == VALID
    assert clock() - refused > 1.0


async def test_an_owner_has_one_budget_over_both(pair: Pair, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID, tokens=400)]
    models = await pair("--owner-tokens", "2000")

    async def spent() -> GenerationError | None:
        try:
            await collect(models[next(number) % 2], order(owner="somebody", max_output_tokens=400))
        except GenerationError as error:
            return error
        return None

    number = count()
    error = await wait_until(spent)
    assert error is not None
    assert error.code == "budget_exceeded"
    assert 3 <= len(openai.exchanges) <= 4
    assert final_of(await collect(models[0], order(owner="another", max_output_tokens=400))) == VALID
