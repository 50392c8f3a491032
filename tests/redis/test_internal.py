"""Jobs of the engine's own: made once for each id, run by schedule, in no list, found by nobody who asks for jobs."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from loresmith.jobs import (
    InternalJob,
    InternalJobs,
    JobContext,
    JobNotFoundError,
    JobType,
    Listing,
    Options,
    TransientError,
    job_type,
)
from tests.redis.conftest import Engine
from tests.waiting import wait_until

QUEUE = "errands"
WAITS = (5.0, 300.0, 7200.0)


class Errand(BaseModel):
    """How often it fails before it succeeds."""

    failures: int = 0


runs: list[tuple[str, int]] = []


@job_type("errand", max_attempts=4, retry_seconds=WAITS, timeout_seconds=86_400)
async def errand(ctx: JobContext[Errand]) -> str:
    runs.append((ctx.job_id, ctx.attempt))
    await ctx.save_item(ctx.run, {"attempt": ctx.attempt})
    if ctx.attempt <= ctx.payload.failures:
        raise TransientError("not yet")
    return "done"


def asked(failures: int = 0, job_id: str = "", **options: Any) -> InternalJob:
    return InternalJob(job_id or str(uuid4()), {"failures": failures}, Options(owner="anna", **options))


def internal_of(engine: Engine, kind: JobType = errand) -> InternalJobs:
    return InternalJobs(engine.connection(), kind, queue=QUEUE)


async def _ended(jobs: InternalJobs, job_id: str) -> bool:
    view = await jobs.find(job_id)
    return view is not None and view.job.done


async def test_making_one_twice_makes_one(engine: Engine, redis: Any) -> None:
    runs.clear()
    jobs, one = internal_of(engine), asked(running_limit=4)
    await asyncio.gather(*(jobs.create([one]) for _ in range(10)))
    await engine.worker(errand, queue=QUEUE)
    await wait_until(lambda: _ended(jobs, one.job_id))
    await jobs.create([one, two := asked()])
    await wait_until(lambda: _ended(jobs, two.job_id))
    assert sorted(runs) == sorted([(one.job_id, 1), (two.job_id, 1)])
    assert await redis.zcard(f"queue:{{{QUEUE}}}:open") == 0


async def test_nobody_else_finds_or_lists_them(engine: Engine) -> None:
    jobs, one = internal_of(engine), asked()
    await jobs.create([one])
    manager = engine.manager
    for owner in ("anna", None):
        assert (await manager.list(Listing(), owner=owner)).jobs == []
        assert await manager.view_many([one.job_id], owner=owner) == [None]
        for act in (manager.view, manager.get, manager.cancel, manager.retry, manager.delete, manager.attached):
            with pytest.raises(JobNotFoundError):
                await act(one.job_id, owner=owner)
    figures = await manager.stats()
    assert (figures.depth.open, figures.depth.normal, figures.workers) == (0, 0, [])


async def test_what_fails_is_tried_again_by_the_schedule_of_its_type(engine: Engine, redis: Any) -> None:
    jobs, one = internal_of(engine), asked(failures=9)
    await jobs.create([one])
    await engine.worker(errand, queue=QUEUE)
    member = f"n:{one.job_id}"
    for attempt, wait in enumerate(WAITS, 1):
        await wait_until(lambda: _waits_for(jobs, one.job_id, attempt + 1))  # noqa: B023 - waited for in this turn
        view = await jobs.find(one.job_id)
        seconds, micros = await redis.time()
        assert view is not None
        assert view.due_ms is not None
        assert wait - 5 < view.due_ms / 1000 - (seconds + micros / 1e6) <= wait * 1.1
        assert len(view.items) == attempt
        await redis.zadd(f"queue:{{{QUEUE}}}:scheduled", {member: 0}, xx=True)
    await wait_until(lambda: _ended(jobs, one.job_id))
    view = await jobs.find(one.job_id)
    assert view is not None
    assert (view.job.state, view.job.attempt, view.due_ms, len(view.items)) == ("failed", 4, None, 4)


async def _waits_for(jobs: InternalJobs, job_id: str, attempt: int) -> bool:
    view = await jobs.find(job_id)
    return view is not None and view.job.attempt == attempt and view.due_ms is not None


async def test_the_stream_of_those_that_ended_is_bounded(engine: Engine, redis: Any) -> None:
    jobs = internal_of(engine)
    await engine.worker(errand, queue=QUEUE, ended_length=100, concurrency=50)
    wanted = [asked() for _ in range(450)]
    await jobs.create(wanted)
    await wait_until(lambda: _none_open(redis))
    assert await redis.xlen(f"queue:{{{QUEUE}}}:ended") < 300


async def _none_open(redis: Any) -> bool:
    return await redis.zcard(f"queue:{{{QUEUE}}}:open") == 0


async def test_what_is_attached_to_a_job_is_carried_on_by_its_retry(engine: Engine) -> None:
    engine.registry.add(errand)
    job = await engine.manager.create("errand", {}, Options(attached={"for": {"whom": "it concerns"}}))
    await engine.manager.cancel(job.id)
    again = await engine.manager.retry(job.id)
    assert (await engine.manager.attached(again.id))[1] == {"for": {"whom": "it concerns"}}
    assert b"concerns" not in await engine.manager.read(again.id)


async def test_what_is_attached_belongs_to_the_request_that_a_key_stands_for(engine: Engine) -> None:
    engine.registry.add(errand)
    first, _ = await engine.manager.create_once("errand", {}, Options(attached={"a": 1}), key="k")
    same, replayed = await engine.manager.create_once("errand", {}, Options(attached={"a": 1}), key="k")
    assert (same.id, replayed) == (first.id, True)
    with pytest.raises(Exception, match="another request"):
        await engine.manager.create_once("errand", {}, Options(attached={"a": 2}), key="k")
