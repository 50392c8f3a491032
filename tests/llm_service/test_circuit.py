"""The circuit of a provider: closed, open, one probe, then all step by step; alone and over several processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from loresmith.bootstrap import connect
from loresmith.llm.errors import GenerationError
from loresmith.llm_service.circuit import FULL, Circuit, Permit
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.shared import RedisOutage
from tests.llm_service.conftest import Serve
from tests.llm_service.openai_server import OpenAIServer, fails, says
from tests.llm_service.orders import VALID, collect, final_of, order
from tests.waiting import wait_until


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit("some", clock=clock, uniform=lambda _, most: most)


async def refused(circuit: Circuit) -> GenerationError:
    with pytest.raises(GenerationError) as raised:
        await circuit.enter()
    return raised.value


async def open_it(circuit: Circuit) -> None:
    for permit in [await circuit.enter() for _ in range(3)]:
        await permit.failed()


async def test_three_failures_in_a_row_open_it(circuit: Circuit) -> None:
    for _ in range(2):
        await (await circuit.enter()).failed()
    await (await circuit.enter()).answered()
    for _ in range(2):
        await (await circuit.enter()).failed()
    assert circuit.state == "closed"
    await (await circuit.enter()).failed()
    assert circuit.state == "open"
    error = await refused(circuit)
    assert (error.code, error.retryable, error.began) == ("provider_unavailable", True, False)
    assert error.retry_after_seconds == 2.0


async def test_probes_are_single_and_their_pauses_grow_to_30_seconds(circuit: Circuit, clock: Clock) -> None:
    await open_it(circuit)
    pauses: list[float] = []
    for _ in range(7):
        error = await refused(circuit)
        pauses.append(error.retry_after_seconds or 0.0)
        clock.now += pauses[-1]
        probe = await circuit.enter()
        for _ in range(100):
            await refused(circuit)
        await probe.failed()
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


async def test_calls_come_back_step_by_step_after_a_probe_is_answered(circuit: Circuit, clock: Clock) -> None:
    await open_it(circuit)
    clock.now += 10
    probe = await circuit.enter()
    await probe.answered()
    waiting = [asyncio.create_task(circuit.enter()) for _ in range(40)]
    steps: list[int] = []
    while not all(task.done() for task in waiting):
        await asyncio.sleep(0)
        admitted = [task for task in waiting if task.done()]
        steps.append(len(admitted))
        for task in admitted:
            await task.result().answered()
        for _ in range(3):
            await asyncio.sleep(0)
    assert steps[0] == 1
    assert all(after <= 2 * before + 1 or after > FULL for before, after in pairwise(steps))
    assert circuit.state == "closed"


async def test_a_failure_on_the_way_back_opens_it_and_sends_the_waiting_off(circuit: Circuit, clock: Clock) -> None:
    await open_it(circuit)
    clock.now += 10
    await (await circuit.enter()).answered()
    first = await circuit.enter()
    waiting = asyncio.create_task(circuit.enter())
    await asyncio.sleep(0)
    await first.failed()
    with pytest.raises(GenerationError, match="is down"):
        await waiting


async def test_calls_of_before_the_outage_say_nothing_new(circuit: Circuit, clock: Clock) -> None:
    early = [await circuit.enter() for _ in range(5)]
    for permit in early[:3]:
        await permit.failed()
    clock.now += 2.5
    assert circuit.state == "half_open"
    await early[3].failed()
    assert circuit.state == "half_open"
    await early[4].answered()
    assert circuit.state == "ramp"


async def test_a_probe_whose_caller_leaves_is_replaced(circuit: Circuit, clock: Clock) -> None:
    await open_it(circuit)
    clock.now += 10
    probe = await circuit.enter()
    await refused(circuit)
    probe.left()
    await probe.failed()  # the first report counts
    assert isinstance(await circuit.enter(), Permit)


@pytest.fixture
async def pair(redis_url: str) -> AsyncIterator[tuple[Circuit, Circuit]]:
    """The circuits of two processes for one provider."""
    async with connect(redis_url) as one, connect(redis_url) as other:

        def quick(_: float, __: float) -> float:
            return 0.3

        first, second = (Circuit("some", RedisOutage(each, "some"), uniform=quick) for each in (one, other))
        yield first, second


async def test_processes_share_an_outage_its_probe_and_its_end(pair: tuple[Circuit, Circuit]) -> None:
    one, other = pair
    await open_it(one)
    assert not (await refused(other)).began
    await wait_until(lambda: one.state == "half_open")
    await wait_until(lambda: other.state == "half_open")

    async def probe() -> Permit | None:
        try:
            return await one.enter()
        except GenerationError:
            return None

    permit = await wait_until(probe)
    assert permit is not None
    await refused(other)
    await permit.answered()
    await (await other.enter()).answered()
    assert other.state == "ramp"


async def test_a_probe_that_fails_keeps_the_other_process_away_too(pair: tuple[Circuit, Circuit]) -> None:
    one, other = pair
    await open_it(one)
    await refused(other)
    probes = 0
    for _ in range(3):

        async def next_probe() -> Permit | None:
            for each in (other, one):
                try:
                    return await each.enter()
                except GenerationError:
                    continue
            return None

        permit = await wait_until(next_probe)
        assert permit is not None
        probes += 1
        for each in (one, other):
            await refused(each)
        await permit.failed()
    assert probes == 3


async def test_a_call_says_whether_a_model_had_begun(serve: Serve, openai: OpenAIServer) -> None:
    model = await serve(find_provider("openai-compatible:some", base_url=openai.url))

    async def failure() -> GenerationError:
        with pytest.raises(GenerationError) as raised:
            await collect(model, order())
        return raised.value

    openai.answers = [fails("503 Service Unavailable", Retry_After="7")]
    error = await failure()
    assert (error.began, error.retry_after_seconds) == (False, 7)
    openai.answers = [fails("429 Too Many Requests")]
    assert not (await failure()).began
    openai.answers = [says("no object")]
    assert (await failure()).began


async def test_a_provider_that_is_down_is_asked_no_more(serve: Serve, openai: OpenAIServer) -> None:
    model = await serve(find_provider("openai-compatible:some", base_url=openai.url))
    openai.answers = [fails("500 Internal Server Error")]
    for _ in range(50):
        with pytest.raises(GenerationError) as raised:
            await collect(model, order())
        assert raised.value.code == "provider_unavailable"
    assert len(openai.exchanges) <= 6
    openai.answers = [says(VALID)]

    async def answered() -> bool:
        try:
            return final_of(await collect(model, order())) == VALID
        except GenerationError:
            return False

    await wait_until(answered)
