"""Past jobs are kept, bounded and for a while, and the next one is estimated by them."""

import asyncio

from pydantic import BaseModel

from loresmith.jobs import Job, JobContext, TransientError, job_type
from loresmith.jobs.profiles import LIFETIME_SECONDS, MOST_TRACES
from loresmith.jobs.trace import TRACE_VERSION, Trace, decode_traces, encode_trace
from tests.redis.conftest import Engine
from tests.waiting import wait_until

KEY = "profile:writes:m_1_:2"


class Nothing(BaseModel):
    """An empty payload."""


@job_type("writes")
async def writes(ctx: JobContext[Nothing]) -> str:
    """Reach two checkpoints."""
    await ctx.compare("m{1}", 2)
    for mark in (1, 0):
        ctx.reached(0, mark)
        ctx.report(1 - mark)
    return "done"


def past(number: int) -> bytes:
    """A job of 10 s that was half done at its first checkpoint."""
    return encode_trace(Trace(TRACE_VERSION, number, 10_000, [], [0, 1, 5000, 0, 0, 5000]))


async def test_a_completed_job_leaves_its_checkpoints_for_a_month(engine: Engine) -> None:
    await engine.worker(writes)
    await engine.ended((await engine.manager.create("writes", {})).id)
    redis = engine.connection()
    entries = await wait_until(lambda: redis.lrange(KEY, 0, -1))
    (trace,) = decode_traces(entries)
    assert [(part, mark) for part, mark, _ in trace.marks()] == [(0, 1), (0, 0)]
    assert 0 < await redis.ttl(KEY) <= LIFETIME_SECONDS


async def test_a_profile_is_bounded_and_the_newest_comes_first(engine: Engine) -> None:
    redis = engine.connection()
    await redis.rpush(KEY, *(past(number) for number in range(MOST_TRACES + 20)))
    await engine.worker(writes)
    await engine.ended((await engine.manager.create("writes", {})).id)
    await wait_until(lambda: _is(redis.llen(KEY), MOST_TRACES))
    newest = decode_traces([await redis.lindex(KEY, 0)])[0]
    assert newest.total_ms < 10_000
    assert newest.residuals, "it was estimated by the others"
    assert await redis.ttl(KEY) > 0
    assert 0 < await redis.ttl("pace:m_1_") <= LIFETIME_SECONDS


async def test_a_job_is_estimated_by_those_before_it_and_entries_of_other_releases_are_passed_over(
    engine: Engine,
) -> None:
    go = asyncio.Event()

    @job_type("waits")
    async def waits(ctx: JobContext[Nothing]) -> str:
        await ctx.compare("m", 1)
        ctx.report(0.0)
        ctx.reached(0, 1)
        await go.wait()
        return "done"

    redis = engine.connection()
    strange = [b"[99,1]", b"{}", b"not json", encode_trace(Trace(99, 0, 1, [], []))]
    await redis.rpush("profile:waits:m:1", *strange, *(past(number) for number in range(8)))
    await redis.expire("profile:waits:m:1", 60)
    await engine.worker(waits)
    created = await engine.manager.create("waits", {})

    async def estimated() -> Job | None:
        job = await engine.manager.get(created.id)
        return job if job.eta is not None and job.fraction else None

    job = await wait_until(estimated)
    assert job
    assert job.eta
    assert job.progress_source == "measured"
    assert 1 < job.eta.low <= job.eta.seconds <= job.eta.high < 20
    assert job.fraction
    assert 20 <= job.progress < 79
    go.set()
    ended = await engine.ended(created.id)
    assert (ended.eta, ended.progress) == (None, 100)


async def test_jobs_without_checkpoints_and_those_that_were_tried_twice_leave_nothing(engine: Engine) -> None:
    @job_type("is_plain")
    async def is_plain(ctx: JobContext[Nothing]) -> str:
        ctx.report(0.5)
        return "done"

    @job_type("tries_twice")
    async def tries_twice(ctx: JobContext[Nothing]) -> str:
        await ctx.compare("m", 1)
        ctx.reached(0, 1)
        if ctx.attempt == 1:
            raise TransientError("not yet", retry_after_seconds=0.01)
        return "done"

    await engine.worker(is_plain, tries_twice)
    for name in ("is_plain", "tries_twice"):
        await engine.ended((await engine.manager.create(name, {})).id)
    await engine.ended((await engine.manager.create("is_plain", {})).id)
    assert await engine.connection().keys("profile:*") == []


async def _is(found: object, wanted: int) -> bool:
    return await found == wanted  # type: ignore[misc]
