"""Who stops waiting stops the model: cancellation, slots and drain."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.server import LoreServer
from loresmith.llm_service.slots import Slots
from tests.llm_service.conftest import Serve
from tests.llm_service.openai_server import OpenAIServer, goes_silent, says
from tests.llm_service.orders import VALID, collect, final_of, order


async def test_closing_the_iterator_closes_the_connection_to_the_model(
    model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [goes_silent]
    async with aclosing(model.generate(order(), timeout_seconds=60)) as events:
        assert isinstance(await anext(events), FieldsDone)
    async with asyncio.timeout(2):
        await openai.exchanges[0].disconnected.wait()


async def test_cancelling_the_reader_closes_the_connection_to_the_model(
    model: GrpcLoreModel, openai: OpenAIServer
) -> None:
    openai.answers = [goes_silent]
    reader = asyncio.create_task(collect(model, order()))
    exchange = await openai.request_number(1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    async with asyncio.timeout(2):
        await exchange.disconnected.wait()


async def test_the_deadline_ends_the_call_up_to_the_model(model: GrpcLoreModel, openai: OpenAIServer) -> None:
    openai.answers = [goes_silent]
    with pytest.raises(GenerationError, match="not done in time") as raised:
        async for _ in model.generate(order(), timeout_seconds=0.3):
            pass
    assert (raised.value.code, raised.value.retryable) == ("provider_timeout", False)
    async with asyncio.timeout(2):
        await openai.exchanges[0].disconnected.wait()


async def test_calls_beyond_the_slots_wait_and_silence_does_not_count(serve: Serve, openai: OpenAIServer) -> None:
    openai.answers = [goes_silent, says(VALID)]
    provider = find_provider("openai-compatible", base_url=openai.url, concurrent_calls=1)
    patient = await serve(provider)
    hasty = GrpcLoreModel(patient._address, call_silence_seconds=0.2)
    first = asyncio.create_task(collect(patient, order()))
    await openai.request_number(1)
    second = asyncio.create_task(collect(hasty, order()))
    done, _ = await asyncio.wait({second}, timeout=0.6)
    assert not done, "waiting for a slot is not the silence of a model"
    assert len(openai.exchanges) == 1
    first.cancel()
    assert final_of(await second) == VALID
    await hasty.close()


async def test_a_call_that_gives_up_in_the_queue_leaves_its_place() -> None:
    slots = Slots(1)
    async for _ in slots.acquire(reminder_seconds=60):
        pytest.fail("the first call must not wait")
    waiting = slots.acquire(reminder_seconds=60)
    await anext(waiting)
    await waiting.aclose()
    slots.release()
    async for _ in slots.acquire(reminder_seconds=60):
        pytest.fail("the slot is free again")


async def test_a_slot_that_came_while_giving_up_is_passed_on() -> None:
    slots = Slots(1)
    async for _ in slots.acquire(reminder_seconds=60):
        pytest.fail("the first call must not wait")
    waiting = slots.acquire(reminder_seconds=60)
    await anext(waiting)
    slots.release()
    await asyncio.sleep(0)  # the slot is handed to `waiting`, which does not know it yet
    await waiting.aclose()
    async with asyncio.timeout(2):
        async for _ in slots.acquire(reminder_seconds=60):
            pass


@pytest.mark.parametrize(("grace_seconds", "finishes"), [(10.0, True), (0.0, False)])
async def test_a_stop_lets_running_calls_finish_within_the_grace(grace_seconds: float, finishes: bool) -> None:
    server = LoreServer(find_provider("fake?seconds=0.5&tokens=20"))
    model = GrpcLoreModel(f"127.0.0.1:{await server.start('127.0.0.1:0')}")
    events = model.generate(order(), timeout_seconds=20)
    await anext(events)
    stopping = asyncio.create_task(server.stop(grace_seconds))
    if finishes:
        assert final_of([event async for event in events])
    else:
        with pytest.raises(GenerationError) as raised:
            [event async for event in events]
        assert (raised.value.code, raised.value.retryable) == ("provider_unavailable", True)
    await stopping
    await model.close()
