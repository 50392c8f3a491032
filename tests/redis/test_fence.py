"""One writer at a time: what a worker that lost its lease writes is refused, what died half way heals."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from loresmith.jobs import Job, JobContext, State, job_type
from loresmith.jobs.claim import Begun, Claim, Dropped, Reason
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue, Release
from loresmith.jobs.store import END, Created, Store, Written
from tests.redis.conftest import Engine
from tests.waiting import wait_until


class Nothing(BaseModel):
    """An empty payload."""


@job_type("noop")
async def noop(ctx: JobContext[Nothing]) -> int:
    return ctx.run


@pytest.fixture
async def pipeline(engine: Engine) -> AsyncIterator[Pipeline]:
    engine.registry.add(noop)
    pipeline = Pipeline(engine.connection())
    yield pipeline
    await pipeline.close()


@pytest.fixture
def store(pipeline: Pipeline) -> Store:
    return Store(pipeline)


@pytest.fixture
def queue(pipeline: Pipeline) -> Queue:
    return Queue(pipeline)


async def claim_one(queue: Queue, consumer: str) -> Claim:
    claims = (await queue.claim(consumer, 1)).claims
    assert len(claims) == 1
    return claims[0]


async def begin(store: Store, claim: Claim, worker: str) -> Begun:
    begun = await store.begin(claim, worker)
    assert isinstance(begun, Begun)
    return begun


def running(begun: Begun, message: str) -> Job:
    job = begun.job
    job.move(State.RUNNING)
    job.message = message
    job.touch()
    return job


async def rescue(queue: Queue, consumer: str) -> Claim:
    async def found() -> list[Claim]:
        return await queue.rescue(consumer, idle_seconds=0.0, pace_seconds=0.01)

    claims = await wait_until(found)
    return claims[0]


async def test_a_stale_worker_cannot_write_any_more(engine: Engine, store: Store, queue: Queue) -> None:
    job = await engine.manager.create("noop", {})
    stale = await begin(store, await claim_one(queue, "a"), "a")
    fresh = await begin(store, await rescue(queue, "b"), "b")
    assert (stale.run, fresh.run, fresh.taken_over) == (1, 2, True)

    assert await store.write(running(fresh, "fresh"), lease=fresh.lease) == Written.DONE
    refused = store.write(running(stale, "stale"), lease=stale.lease, items={"0": b'"stale"'})
    assert await refused == Written.LOST
    assert (await engine.manager.get(job.id)).message == "fresh"
    assert b"stale" not in await engine.manager.read(job.id)


async def test_a_write_repeated_after_a_lost_reply_says_yes_and_changes_nothing(
    engine: Engine, store: Store, queue: Queue
) -> None:
    await engine.manager.create("noop", {})
    begun = await begin(store, await claim_one(queue, "a"), "a")
    job = running(begun, "written")
    assert await store.write(job, lease=begun.lease, new_lease=END) == Written.DONE
    assert await store.write(job, lease=begun.lease, new_lease=END) == Written.DONE


async def test_a_begin_repeated_after_a_lost_reply_is_the_same_run(engine: Engine, store: Store, queue: Queue) -> None:
    await engine.manager.create("noop", {})
    claim = await claim_one(queue, "a")
    assert (await begin(store, claim, "a")).run == (await begin(store, claim, "a")).run == 1


async def test_a_claim_that_was_rescued_meanwhile_is_not_begun(engine: Engine, store: Store, queue: Queue) -> None:
    await engine.manager.create("noop", {})
    slow = await claim_one(queue, "a")
    await begin(store, await rescue(queue, "b"), "b")
    assert await store.begin(slow, "a") == Dropped(Reason.TAKEN)


async def test_a_finish_that_finds_the_cancel_mark_is_refused(engine: Engine, store: Store, queue: Queue) -> None:
    job = await engine.manager.create("noop", {})
    begun = await begin(store, await claim_one(queue, "a"), "a")
    await engine.manager.cancel(job.id)
    written = store.write(running(begun, "done"), lease=begun.lease, new_lease=END, unless_cancelled=True)
    assert await written == Written.REFUSED_FOR_CANCEL


async def test_a_renewal_takes_nothing_back_from_a_rescuer(engine: Engine, queue: Queue) -> None:
    job = await engine.manager.create("noop", {})
    stale = await claim_one(queue, "a")
    fresh = await rescue(queue, "b")
    assert await queue.renew("a", [stale]) == {job.id}
    assert await queue.renew("b", [fresh]) == set()


async def test_the_queue_is_empty_when_its_jobs_have_ended(engine: Engine, redis: Any) -> None:
    await engine.worker(noop)
    for _ in range(3):
        await engine.ended((await engine.manager.create("noop", {})).id)

    async def settled() -> bool:
        return await redis.zcard("queue:{default}:open") == 0

    await wait_until(settled)
    assert await redis.xlen("queue:{default}:normal") == 0
    assert (await redis.xpending("queue:{default}:normal", "workers"))["pending"] == 0
    assert await redis.xlen("queue:{default}:ended") == 3


async def test_a_submit_that_died_before_its_release_is_run_all_the_same(
    engine: Engine, store: Store, queue: Queue, redis: Any
) -> None:
    job = await engine.manager.create("noop", {})
    claim = await claim_one(queue, "a")
    await redis.xack("queue:{default}:normal", "workers", claim.entry_id)  # as if it had never been released …
    await redis.xdel("queue:{default}:normal", claim.entry_id)
    await queue.intend([Release(job.id)])  # … but intended
    await engine.worker(noop)
    assert (await engine.ended(job.id)).status == "completed"


async def test_an_intent_without_a_document_is_dropped(engine: Engine, queue: Queue, redis: Any) -> None:
    await queue.intend([Release("6f9619ff-8b86-4011-b42d-00c04fc964ff")])
    await engine.worker(noop)

    async def gone() -> bool:
        return await redis.zcard("queue:{default}:open") == 0

    await wait_until(gone)
    assert await redis.zcard("queue:{default}:scheduled") == 0


async def test_a_document_that_comes_long_after_its_intent_is_refused(
    engine: Engine, store: Store, queue: Queue
) -> None:
    await engine.manager.create("noop", {})
    begun = await begin(store, await claim_one(queue, "a"), "a")
    late = msgspec.structs.replace(begun.job, id="6f9619ff-8b86-4011-b42d-00c04fc964ff")
    created = store.create(late, begun.submitted, intent_ms=await store.clock_ms() - 3_000)
    assert await created == Created.TOO_LATE
