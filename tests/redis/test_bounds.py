"""Bounds of owners and of the queue: what is repeated or cancelled takes no place for ever."""

import asyncio
import gc
from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.jobs import (
    Job,
    JobContext,
    Options,
    Priority,
    QueueFullError,
    State,
    Status,
    TooManyActiveJobsError,
    job_type,
)
from loresmith.jobs.keys import GROUP, QueueKeys
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Intended, Queue, Release
from loresmith.jobs.run import Run
from tests.redis.conftest import Engine
from tests.waiting import wait_until


class Nothing(BaseModel):
    """An empty payload."""


async def _left(redis: Any) -> bool:
    return [key async for key in redis.scan_iter("queue:*:owner:*")] == []


@job_type("noop")
async def noop(ctx: JobContext[Nothing]) -> int:
    return ctx.run


async def test_a_job_cancelled_in_its_owners_list_leaves_its_place_to_the_next(engine: Engine, redis: Any) -> None:
    engine.registry.add(noop)
    options = Options(owner="a", running_limit=1)
    first, second, third = [await engine.manager.create("noop", {}, options) for _ in range(3)]
    await engine.manager.cancel(second.id)
    await engine.worker(noop)
    assert (await engine.ended(first.id)).status is Status.COMPLETED
    assert (await engine.ended(third.id)).status is Status.COMPLETED
    assert (await engine.ended(second.id)).state is State.CANCELLED
    await wait_until(lambda: _left(redis))


async def test_a_job_that_is_turned_away_is_never_there(engine: Engine, redis: Any) -> None:
    """Another submission with its key would find it and promise it."""
    engine.registry.add(noop)
    manager = engine.new_manager(limit=1)
    await manager.create("noop", {})
    await redis.config_resetstat()
    for _ in range(2):
        with pytest.raises(QueueFullError):
            await manager.create("noop", {})
    assert "cmdstat_set" not in await redis.info("commandstats")


async def test_one_owner_with_too_many_jobs_stands_in_nobodys_way(engine: Engine) -> None:
    engine.registry.add(noop)
    manager = engine.new_manager(owner_limit=1)
    await manager.create("noop", {}, Options(owner="a", running_limit=1))
    owners = ("a", "b", "a", "c")
    asked = [manager.create("noop", {}, Options(owner=owner, running_limit=1)) for owner in owners]
    replies = await asyncio.gather(manager.create("noop", {}), *asked, return_exceptions=True)
    refused = [isinstance(reply, TooManyActiveJobsError) for reply in replies]
    assert refused == [False, True, False, True, False]
    assert [reply.type for reply in replies if isinstance(reply, Job)] == ["noop"] * 3


async def test_a_submission_that_is_repeated_is_not_counted_twice(engine: Engine) -> None:
    """The reply to the first was lost: its job is admitted and may run, so it must not be turned away now."""
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline, limit=2, owner_limit=1)
    mine, other = Release("mine", owner="a", running_limit=1), Release("other", owner="b", running_limit=1)
    for _ in range(2):
        assert (await queue.intend([mine, other]))[0] == Intended.TAKEN
    assert (await queue.intend([Release("third")]))[0] == Intended.QUEUE_FULL
    owners = Queue(pipeline, owner_limit=1)
    assert (await owners.intend([Release("more", owner="a", running_limit=1)]))[0] == Intended.OWNER_FULL
    await pipeline.close()


async def test_no_more_jobs_of_a_type_run_at_once_than_it_allows_over_all_workers(engine: Engine, redis: Any) -> None:
    running: list[str] = []
    peak: list[int] = []

    @job_type("narrow", concurrency=2)
    async def narrow(ctx: JobContext[Nothing]) -> int:
        running.append(ctx.job_id)
        peak.append(len(running))
        await wait_until(lambda: len(running) == 2 or len(peak) > 10)
        await ctx.save_item(0, {})
        running.remove(ctx.job_id)
        return 1

    for _ in range(2):
        await engine.worker(narrow, noop)
    jobs = await asyncio.gather(*(engine.manager.create("narrow", {}) for _ in range(12)))
    other = await engine.manager.create("noop", {})
    assert {(await engine.ended(job.id)).status for job in (*jobs, other)} == {Status.COMPLETED}
    assert max(peak) == 2
    await wait_until(lambda: _left(redis))


async def test_a_job_under_two_bounds_waits_for_both(engine: Engine, redis: Any) -> None:
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)

    def release(name: str, owner: str) -> Release:
        return Release(name, owner=owner, running_limit=1, type="narrow", type_limit=2)

    first, same_owner, second, third = (
        release(name, owner) for name, owner in (("1", "a"), ("2", "a"), ("3", "b"), ("4", "c"))
    )
    asked = [first, same_owner, second, third]
    await queue.intend(asked)
    await queue.release(asked)
    claims = (await queue.claim("w", 9)).claims
    assert [claim.job_id for claim in claims] == ["1", "3"]
    await queue.settle(claims[1])  # leaves its owner's place and one of the type's
    (fourth,) = (await queue.claim("w", 9)).claims
    assert fourth.job_id == "4"
    await queue.settle(claims[0])  # the owner's next may go, and so may the type's
    (last,) = (await queue.claim("w", 9)).claims
    assert last.job_id == "2"
    for claim in (fourth, last):
        await queue.settle(claim)
    await wait_until(lambda: _left(redis))
    await pipeline.close()


async def test_a_job_cancelled_while_it_waits_does_not_count_as_waiting(engine: Engine, redis: Any) -> None:
    """A long queue of cancelled jobs would call for more workers, which had nothing to do."""
    engine.registry.add(noop)
    options = [Options(priority=priority) for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW)]
    jobs = [await engine.manager.create("noop", {}, each) for each in options for _ in range(3)]
    for job in jobs[1::3]:
        assert (await engine.manager.cancel(job.id)).state is State.CANCELLED
    assert [await redis.xlen(stream) for stream in QueueKeys("default").streams] == [2, 2, 2]
    await engine.worker(noop)
    ended = [(await engine.ended(job.id)).state for job in jobs]
    assert ended == [State.COMPLETED, State.CANCELLED, State.COMPLETED] * 3


async def test_an_entry_that_a_worker_holds_is_left_to_it(engine: Engine) -> None:
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    await queue.intend([Release("mine")])
    await queue.release([Release("mine")])
    [claim] = (await queue.claim("worker", 1)).claims
    await queue.settle_unclaimed("mine", letter="n", due_ms=int(claim.entry_id.partition("-")[0]))
    assert await queue.is_pending("n", claim.entry_id)
    assert await queue.renew("worker", [claim]) == set()
    await pipeline.close()


async def _consumers(redis: Any) -> set[str]:
    groups = [await redis.xinfo_consumers(stream, GROUP) for stream in QueueKeys("default").streams]
    return {consumer["name"].decode() for group in groups for consumer in group}


async def test_workers_that_are_gone_are_forgotten_unless_they_hold_a_job(engine: Engine, redis: Any) -> None:
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    for job_id, consumer in (("one", "holds"), ("two", "killed")):
        await queue.intend([Release(job_id)])
        await queue.release([Release(job_id)])
        [claim] = (await queue.claim(consumer, 1)).claims
    await queue.settle(claim)
    await queue.claim("stopped", 1)
    assert await _consumers(redis) == {"holds", "killed", "stopped"}
    await queue.leave("stopped")
    await queue.leave("holds")
    await queue.retire_consumers(idle_seconds=60.0)
    assert await _consumers(redis) == {"holds", "killed"}
    await wait_until(lambda: queue.retire_consumers(idle_seconds=0.0))
    assert await _consumers(redis) == {"holds"}
    await pipeline.close()


async def test_a_worker_that_stops_leaves_no_consumer(engine: Engine, redis: Any) -> None:
    worker = await engine.worker(noop)
    job = await engine.manager.create("noop", {})
    await engine.ended(job.id)
    assert await _consumers(redis) == {worker.name}
    worker.stop()
    await wait_until(lambda: _nobody(redis))


async def _nobody(redis: Any) -> bool:
    return not await _consumers(redis)


async def test_a_job_that_ended_leaves_no_garbage_in_its_worker(engine: Engine) -> None:
    """Garbage in cycles waits for the collector, which comes seldom: a worker grew by megabytes."""
    await engine.worker(noop)
    gc.collect()
    of_other_tests = _runs()
    gc.disable()
    try:
        for _ in range(5):
            await engine.ended((await engine.manager.create("noop", {})).id)
        await wait_until(lambda: _runs() <= of_other_tests)
    finally:
        gc.enable()


def _runs() -> int:
    return sum(isinstance(one, Run) for one in gc.get_objects())
