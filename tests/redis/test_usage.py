"""A job's usage over attempts, cancels and lost workers, and the bounds of what a job may make."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from loresmith.jobs import JobContext, State, TransientError, job_type
from loresmith.jobs.claim import Begun
from loresmith.jobs.outcomes import LARGEST_RESULT_BYTES
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.store import Store
from loresmith.jobs.types import Spent, Usage
from tests.redis.conftest import Engine
from tests.waiting import wait_until


class Nothing(BaseModel):
    """An empty payload."""


async def test_tokens_of_calls_that_came_to_nothing_are_counted_apart_over_all_attempts(engine: Engine) -> None:
    @job_type("tries_twice")
    async def tries_twice(ctx: JobContext[Nothing]) -> str:
        ctx.add_usage(model="a", input_tokens=100, output_tokens=10, cost_usd=0.25, wasted=ctx.attempt == 1)
        if ctx.attempt == 1:
            raise TransientError("not yet", retry_after_seconds=0.01)
        ctx.add_usage(model="b", input_tokens=1, output_tokens=2)
        return "done"

    await engine.worker(tries_twice)
    job = await engine.ended((await engine.manager.create("tries_twice", {})).id)
    assert job.usage
    assert (job.usage.input_tokens, job.usage.output_tokens, job.usage.cost_usd) == (201, 22, 0.5)
    assert job.usage.model == "a, b"
    assert job.usage.wasted == Spent(100, 10, 0.25)
    assert job.usage.in_flight is None


async def test_what_was_under_way_is_shown_and_ends_with_its_call(engine: Engine) -> None:
    shown = asyncio.Event()

    @job_type("calls")
    async def calls(ctx: JobContext[Nothing]) -> str:
        ctx.in_flight("call 1", 100, 7, 0.1)
        ctx.in_flight("call 2", 50, 3)
        await shown.wait()
        for call in ("call 1", "call 2"):
            ctx.in_flight(call, 0, 0)
        return "done"

    await engine.worker(calls)
    created = await engine.manager.create("calls", {})

    async def flying() -> bool:
        usage = (await engine.manager.get(created.id)).usage
        return usage is not None and usage.in_flight == Spent(150, 10, 0.1)

    await wait_until(flying)
    shown.set()
    assert (await engine.ended(created.id)).usage == Usage()


async def test_what_was_under_way_when_a_worker_died_is_wasted(engine: Engine) -> None:
    @job_type("is_lost")
    async def is_lost(ctx: JobContext[Nothing]) -> str:
        return "done"

    engine.registry.add(is_lost)
    created = await engine.manager.create("is_lost", {})
    pipeline = Pipeline(engine.connection())
    store = Store(pipeline)
    begun = await store.begin((await Queue(pipeline).claim("dead", 1)).claims[0], "dead")
    assert isinstance(begun, Begun)
    begun.job.move(State.RUNNING)
    begun.job.usage = Usage(1, 2, 0.5, "m", in_flight=Spent(150, 10, 0.1))
    assert await store.write(begun.job, lease=begun.lease)
    await engine.worker(is_lost, lease_seconds=1.0)
    job = await engine.ended(created.id)
    assert job.rescues == 1
    assert job.usage == Usage(151, 12, 0.6, "m", wasted=Spent(150, 10, 0.1))


async def test_a_result_that_is_too_large_is_refused_with_its_size(engine: Engine) -> None:
    @job_type("makes_much")
    async def makes_much(ctx: JobContext[Nothing]) -> str:
        return "x" * LARGEST_RESULT_BYTES

    await engine.worker(makes_much)
    job = await engine.ended((await engine.manager.create("makes_much", {})).id)
    assert job.error == "The result of 1024 KB is more than the 1024 KB that a job may make"
    assert job.error_detail
    assert (job.error_detail.code, job.error_detail.retryable) == ("output_invalid", False)


async def test_items_that_become_too_large_together_are_refused(engine: Engine) -> None:
    @job_type("saves_much")
    async def saves_much(ctx: JobContext[Nothing]) -> str:
        for index in range(5):
            await ctx.save_item(index, {"text": "x" * (LARGEST_RESULT_BYTES // 4)})
        return "never"

    await engine.worker(saves_much)
    job = await engine.ended((await engine.manager.create("saves_much", {})).id)
    assert job.error_detail
    assert job.error_detail.code == "output_invalid"
    assert "more than the 1024 KB that a job may make" in (job.error or "")
