"""The tokens of a call are booked to its job, whatever comes of the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest

from loresmith.llm.errors import GenerationError
from loresmith.llm.metering import metered
from loresmith.llm.port import FieldsDone, Final, GenerationEvent, GenerationRequest, ModelCapabilities, Usage
from tests.waiting import wait_until

ORDER = GenerationRequest("i", "p", {"type": "object"})
USAGE = Usage("m", 100, 20, 0.5)


@dataclass
class Job:
    """Implements Payer."""

    owner_digest: str = "digest"
    booked: list[tuple[int, int, float | None, bool]] = field(default_factory=list[tuple[int, int, float | None, bool]])
    flying: dict[object, tuple[int, int]] = field(default_factory=dict[object, tuple[int, int]])
    most_flying: tuple[int, int] = (0, 0)

    def add_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None = None,
        wasted: bool = False,
    ) -> None:
        self.booked.append((input_tokens, output_tokens, cost_usd, wasted))

    def in_flight(self, call: object, input_tokens: int, output_tokens: int, cost_usd: float | None = None) -> None:
        self.flying[call] = (input_tokens, output_tokens)
        self.most_flying = max(self.most_flying, (input_tokens, output_tokens))
        if not input_tokens and not output_tokens:
            del self.flying[call]


@dataclass
class Script:
    """Implements LoreModel: yields its events, then raises its error, or waits for ever."""

    events: list[GenerationEvent]
    error: Exception | None = None
    stalls: bool = False
    request: GenerationRequest | None = None

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.request = request
        for event in self.events:
            yield event
        if self.stalls:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    async def capabilities(self) -> ModelCapabilities:
        return ModelCapabilities("m", True, 1)


async def read(script: Script, job: Job) -> list[GenerationEvent]:
    async with aclosing(metered(script, job, ORDER, timeout_seconds=5)) as events:
        return [event async for event in events]


async def test_a_call_that_ends_well_is_used_and_in_the_name_of_the_owner() -> None:
    events: list[GenerationEvent] = [FieldsDone(1, 2, 5, 100, 0.1), Final("{}"), USAGE]
    job, script = Job(), Script(events)
    assert await read(script, job) == events
    assert job.booked == [(100, 20, 0.5, False)]
    assert job.most_flying == (100, 5)
    assert job.flying == {}
    assert script.request
    assert script.request.owner == "digest"


async def test_a_call_that_fails_is_wasted_with_what_it_says_it_used() -> None:
    job = Job()
    with pytest.raises(GenerationError):
        await read(Script([FieldsDone(1, 2, 5, 100), USAGE], GenerationError("output_invalid", "no")), job)
    assert (job.booked, job.flying) == ([(100, 20, 0.5, True)], {})


async def test_a_call_that_fails_before_anything_was_read_costs_nothing() -> None:
    job = Job()
    with pytest.raises(GenerationError):
        await read(Script([], GenerationError("provider_auth", "no")), job)
    assert job.booked == []


async def test_a_call_that_is_cut_off_is_wasted_with_what_was_written_by_then() -> None:
    job = Job()
    script = Script([FieldsDone(1, 2, 5, 100, 0.1), FieldsDone(2, 2, 9, 100, 0.2)], stalls=True)
    reading = asyncio.create_task(read(script, job))
    await wait_until(lambda: job.most_flying == (100, 9))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (job.booked, job.flying) == ([(100, 9, 0.2, True)], {})


async def test_who_stops_reading_has_wasted_the_call() -> None:
    job = Job()
    calls: Any = metered(Script([FieldsDone(1, 2, 5, 100)], stalls=True), job, ORDER, timeout_seconds=5)
    await anext(calls)
    await calls.aclose()
    assert (job.booked, job.flying) == ([(100, 5, None, True)], {})
