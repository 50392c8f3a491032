"""A job whose worker died: that it lost one is written before its handler starts again."""

import asyncio
import json
import time
from typing import Any

import pytest
from pydantic import BaseModel
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from loresmith.jobs import JobContext, Options, Priority, State, Status, job_type
from loresmith.jobs.claim import Begun, Claim, Dropped, Reason
from loresmith.jobs.inspector import Inspector
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue, Release, SweptLateError
from loresmith.jobs.rescuer import Rescuer
from loresmith.jobs.store import Store, Written, waiting_lease
from loresmith.jobs.types import timestamp
from tests.redis.conftest import Engine
from tests.waiting import wait_until


class Nothing(BaseModel):
    """An empty payload."""


@job_type("noop")
async def noop(ctx: JobContext[Nothing]) -> int:
    return ctx.run


async def test_a_lost_worker_is_counted_before_the_handler_may_kill_the_next(engine: Engine) -> None:
    shown: list[int] = []

    @job_type("deadly")
    async def deadly(ctx: JobContext[Nothing]) -> int:
        shown.append(json.loads(await engine.manager.read(ctx.job_id))["rescues"])
        return ctx.run

    engine.registry.add(deadly)
    job = await engine.manager.create("deadly", {})
    await _die_running(engine)
    await engine.worker(lease_seconds=1.0)
    assert (await engine.ended(job.id)).rescues == 1
    assert shown == [1]


async def test_what_was_rescued_during_a_hand_back_is_left_to_the_rescuer(engine: Engine) -> None:
    """Else its lease would name an entry that is gone, and no other entry of the job could ever be begun."""
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    engine.registry.add(noop)
    job = await engine.manager.create("noop", {})
    slow = (await queue.claim("slow", 1)).claims[0]
    begun = await store.begin(slow, "slow")
    assert isinstance(begun, Begun)
    rescued = (await queue.rescue("quick", idle_seconds=0.0, pace_seconds=0.001))[0]
    begun.job.move(State.RUNNING)
    begun.job.move(State.RETRYING)
    begun.job.touch()
    assert await store.write(begun.job, lease=begun.lease, new_lease=waiting_lease(1)) == Written.DONE
    assert isinstance(await store.begin(rescued, "quick"), Begun)

    assert not await queue.requeue("slow", slow)
    assert (await queue.claim("other", 1)).claims == []
    assert await queue.renew("quick", [rescued]) == set()
    assert await queue.requeue("quick", rescued)
    assert not await queue.requeue("quick", rescued)
    assert [claim.job_id for claim in (await queue.claim("other", 5)).claims] == [job.id]
    await pipeline.close()


async def test_a_duplicate_that_was_rescued_is_not_removed_by_who_had_it_before(engine: Engine) -> None:
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    engine.registry.add(noop)
    job = await engine.manager.create("noop", {})
    await queue.intend([Release(job.id)])
    await queue.release([Release(job.id)])  # twice, as after a lost reply
    first = (await queue.claim("first", 1)).claims[0]
    assert isinstance(await store.begin(first, "first"), Begun)
    second = (await queue.claim("slow", 1)).claims[0]
    held = Dropped(Reason.HELD, first.entry)
    assert await store.begin(second, "slow") == held
    rescued = {claim.entry: claim for claim in await queue.rescue("quick", idle_seconds=0.0, pace_seconds=0.001)}
    assert not await queue.drop("slow", second, held)
    assert await queue.renew("quick", [second]) == set()
    assert not await queue.drop("quick", rescued[second.entry], held)
    assert await queue.renew("quick", [second]) == {job.id}
    await pipeline.close()


async def test_a_job_begun_late_through_an_entry_that_is_gone_is_taken_by_who_has_its_new_one(engine: Engine) -> None:
    """Its lease named the old entry, so that the new one was dropped and nobody ran the job for an hour."""
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    engine.registry.add(noop)
    job = await engine.manager.create("noop", {})
    frozen = (await queue.claim("frozen", 1)).claims[0]
    rescued = (await queue.rescue("quick", idle_seconds=0.0, pace_seconds=0.001))[0]
    begun = await store.begin(rescued, "quick")
    assert isinstance(begun, Begun)
    begun.job.move(State.RUNNING)
    begun.job.move(State.RETRYING)
    begun.job.touch()
    assert await store.write(begun.job, lease=begun.lease, new_lease=waiting_lease(1)) == Written.DONE
    assert await queue.requeue("quick", rescued)
    late = await store.begin(frozen, "frozen")
    assert isinstance(late, Begun)

    await engine.worker(noop)
    assert (await engine.ended(job.id)).status is Status.COMPLETED
    late.job.touch()
    assert await store.write(late.job, lease=late.lease) == Written.LOST
    await pipeline.close()


async def test_a_full_worker_with_a_backlog_takes_over_all_the_same(engine: Engine) -> None:
    """Each slot that gets free would go to the backlog for ever, were it not offered to the silent first."""
    lost_first: list[str] = []
    stop = asyncio.Event()

    @job_type("short")
    async def short(ctx: JobContext[Nothing]) -> int:
        if not stop.is_set():  # the backlog never ends: each job of it brings the next
            await engine.manager.create("short", {})
        return ctx.run

    @job_type("lost")
    async def lost(ctx: JobContext[Nothing]) -> int:
        lost_first.append(ctx.job_id)
        return ctx.run

    engine.registry.add(short, lost)
    job = await engine.manager.create("lost", {})
    await _die_running(engine)
    for _ in range(3):
        await engine.manager.create("short", {})
    await engine.worker(lease_seconds=0.5, concurrency=1)
    assert (await engine.ended(job.id)).status is Status.COMPLETED
    stop.set()
    assert lost_first == [job.id]


async def test_few_free_slots_reach_the_end_of_a_long_pending_list_in_one_sweep(engine: Engine, redis: Any) -> None:
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    engine.registry.add(noop)
    await engine.manager.create_all([("noop", Nothing(), Options())] * 300)
    claims = (await queue.claim("alive", 300)).claims
    for last in (claims[-1], claims[-150]):  # the second time the cursor stands behind it
        await redis.xclaim(queue.keys.stream("n"), "workers", "dead", 0, [last.entry_id], idle=60_000)
        found = await queue.rescue("alive", idle_seconds=50.0, pace_seconds=60.0, most=1)
        assert [claim.entry_id for claim in found] == [last.entry_id]
    await pipeline.close()


async def test_a_sweep_takes_no_more_than_there_is_room_for_and_lets_the_next_begin_at_once(engine: Engine) -> None:
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    engine.registry.add(noop)
    await engine.manager.create_all([("noop", Nothing(), Options(priority=priority)) for priority in Priority] * 2)
    claims = [claim for _ in range(3) for claim in (await queue.claim("dead", 2)).claims]
    assert len(claims) == 6
    found = [await queue.rescue(name, idle_seconds=0.0, pace_seconds=60.0, most=2) for name in ("a", "b")]
    assert [len(each) for each in found] == [2, 2]
    await pipeline.close()


async def test_a_job_whose_entry_a_failover_lost_is_released_anew(engine: Engine, redis: Any) -> None:
    """Its lease names an entry that nobody is given any more, so that no worker would ever end it."""
    engine.registry.add(noop)
    job = await engine.manager.create("noop", {})
    held = await engine.manager.create("noop", {})
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    lost, kept = (await queue.claim("dead", 2)).claims
    for claim in (lost, kept):
        assert isinstance(await store.begin(claim, "dead"), Begun)
    await redis.xack(queue.keys.stream("n"), "workers", lost.entry_id)
    await redis.xdel(queue.keys.stream("n"), lost.entry_id)
    await Inspector(store, queue).inspect()
    assert [claim.job_id for claim in (await queue.claim("other", 5)).claims] == [job.id]
    assert await redis.get(f"{{job:{held.id}}}:lease") == f"1:dead:{kept.entry}".encode()
    await pipeline.close()


async def test_an_inspection_that_broke_off_leaves_its_turn_to_the_next(engine: Engine, redis: Any) -> None:
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    await redis.set(queue.keys.open, "not a sorted set", ex=60)
    with pytest.raises(ResponseError):
        await Inspector(store, queue).inspect()
    assert await queue.take_turn(60.0)
    await redis.delete(queue.keys.open)
    await pipeline.close()


async def test_a_sweep_that_redis_saw_late_takes_nothing(engine: Engine) -> None:
    """Redis stood still meanwhile: the idle times of jobs whose workers live ran on."""
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    engine.registry.add(noop)
    await engine.manager.create("noop", {})
    await queue.claim("alive", 1)
    now = await store.clock_ms()
    with pytest.raises(SweptLateError):
        await queue.rescue("other", idle_seconds=0.0, pace_seconds=0.001, sent_ms=now - 2_000)
    assert len(await queue.rescue("other", idle_seconds=0.0, pace_seconds=0.001, sent_ms=now)) == 1
    await pipeline.close()


async def test_when_the_clock_of_redis_jumped_nobody_is_taken_over_for_a_lease(engine: Engine) -> None:
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    rescuer = Rescuer(queue, pipeline, {}, consumer="other", lease_seconds=0.01)
    engine.registry.add(noop)
    await engine.manager.create("noop", {})
    await queue.claim("alive", 1)
    await wait_until(lambda: time.monotonic() - pipeline.up_since > 0.01)
    await rescuer._clock()
    assert rescuer._clock_offset_ms
    rescuer._clock_offset_ms -= 5_000  # where Redis's clock was before it was set
    up_since = pipeline.up_since
    assert await rescuer.rescue(1) == []
    assert pipeline.up_since > up_since
    assert len(await _swept(rescuer)) == 1
    await pipeline.close()


async def test_where_every_answer_is_slow_a_sweep_trusts_the_idle_times_now_and_then(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else such a fleet would never take over a dead worker's jobs."""
    monkeypatch.setattr("loresmith.jobs.rescuer._STILL_SECONDS", 0.0)
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    rescuer = Rescuer(queue, pipeline, {}, consumer="other", lease_seconds=0.01)
    engine.registry.add(noop)
    await engine.manager.create("noop", {})
    await queue.claim("dead", 1)
    assert len(await _swept(rescuer)) == 1
    assert rescuer._late == 0
    await pipeline.close()


async def test_a_healing_that_breaks_off_is_completed_by_its_intent(
    engine: Engine, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.registry.add(noop)
    job = await engine.manager.create("noop", {})
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    (lost,) = (await queue.claim("dead", 1)).claims
    assert isinstance(await store.begin(lost, "dead"), Begun)
    await redis.xack(queue.keys.stream("n"), "workers", lost.entry_id)
    await redis.xdel(queue.keys.stream("n"), lost.entry_id)
    monkeypatch.setattr(Queue, "release", _refused)
    with pytest.raises(RedisConnectionError):
        await Inspector(store, queue).inspect()
    assert await redis.get(f"{{job:{job.id}}}:lease") == b"1:"
    assert await redis.zrange(queue.keys.scheduled, 0, -1) == [f"n:{job.id}".encode()]
    await pipeline.close()


def _refused(*_: object) -> None:
    raise RedisConnectionError("refused by the test")


async def _swept(rescuer: Rescuer) -> list[Claim]:
    async def swept() -> list[Claim]:
        return await rescuer.rescue(1)

    return await wait_until(swept)


async def _die_running(engine: Engine) -> None:
    """Take the one job that waits, show that it runs, and fall silent."""
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    claims = (await queue.claim("dead", 1)).claims
    begun = await store.begin(claims[0], "dead")
    assert isinstance(begun, Begun)
    begun.job.move(State.RUNNING)
    begun.job.progress_source, begun.job.started_at = "simulated", timestamp()
    begun.job.touch()
    await store.write(begun.job, lease=begun.lease)
    await pipeline.close()
