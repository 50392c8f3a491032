"""Every script fails once in every way while jobs of all kinds go through: each ends once, nothing is left behind."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError
from redis.exceptions import TimeoutError as RedisTimeoutError

from loresmith.jobs import (
    Job,
    JobContext,
    JobNotFoundError,
    Listing,
    Options,
    QueueFullError,
    State,
    TransientError,
    job_type,
    lua,
)
from loresmith.jobs.claim import Begun
from loresmith.jobs.lua import Script
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue, Release
from loresmith.jobs.store import Store
from tests.redis.conftest import Engine
from tests.redis.test_follower import ENDED, Notes, following, nothing_pending
from tests.waiting import wait_until

FAULTS = ("error before it ran", "refused", "reply lost", "hang", "cut")
# How many calls of a script a test can tell apart: begin of a job, its items, its hand-back, its end ...
CALLS = {
    "write": (1, 2, 3, 5, 7),
    "begin": (1, 3),
    "settle": (1, 3),
    "intend": (1, 3),  # of a job for which there is surely room, and of one for which it has to be asked
    "release": (1, 3),
    "claim": (1, 3),
}
AFTER_A_DEATH = {"rescue", "begin", "settle", "renew"}
"""Where a job of a dead worker goes through as well: it takes a lease."""
_HANG_SECONDS = 0.3
_LEASE_SECONDS = 0.4
_DAY_SECONDS = 86_400


def scripts() -> list[Script]:
    return sorted((found for found in vars(lua).values() if isinstance(found, Script)), key=lambda one: one.name)


POINTS = [
    pytest.param((script, call, fault), id=f"{script.name} {call}, {fault}")
    for script in scripts()
    for call in CALLS.get(script.name, (1,))
    for fault in FAULTS
]


@dataclass
class FaultPoint:
    """Makes call number `call` of a script fail, once."""

    script: Script
    call: int
    fault: str
    calls: int = 0
    armed: bool = False
    fired: bool = False

    def reached(self, commands: Sequence[Sequence[Any]]) -> int | None:
        """Count the calls in a batch and return the place of the one that is to fail."""
        for index, parts in enumerate(commands):
            if self.armed and not self.fired and parts[:2] == ("EVALSHA", self.script.sha):
                self.calls += 1
                if self.calls == self.call:
                    self.fired = True
                    return index
        return None


@pytest.fixture
def point(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FaultPoint:
    """A fault point in every pipeline, and in the thread that renews."""
    script, call, fault = request.param
    point = FaultPoint(script, call, fault)
    exchange: Any = Pipeline._exchange

    async def faulty(self: Pipeline, commands: Sequence[Sequence[Any]]) -> Sequence[Any]:
        index = point.reached(commands)
        if index is None:
            return await exchange(self, commands)
        return await _fail(point, self, commands, index)

    async def _fail(point: FaultPoint, self: Pipeline, commands: Sequence[Sequence[Any]], index: int) -> Sequence[Any]:
        if point.fault == "error before it ran":
            raise RedisConnectionError("refused by the test")
        if point.fault == "refused":  # this command alone, as for want of memory
            replies = await exchange(self, [*commands[:index], *commands[index + 1 :]])
            return [*replies[:index], OutOfMemoryError("refused by the test"), *replies[index:]]
        if point.fault == "cut":  # the server closes the connection after the script, in the middle of the batch
            replies = await exchange(self, [*commands[: index + 1], ("QUIT",), *commands[index + 1 :]])
            return [*replies[: index + 1], *replies[index + 2 :]]
        await exchange(self, commands)
        if point.fault == "reply lost":
            raise RedisConnectionError("reset by the test")
        await asyncio.sleep(_HANG_SECONDS)
        raise RedisTimeoutError("timeout of the test")

    monkeypatch.setattr(Pipeline, "_exchange", faulty)
    _break_renewals(point, monkeypatch)
    return point


def _break_renewals(point: FaultPoint, monkeypatch: pytest.MonkeyPatch) -> None:
    from loresmith.jobs import keeper

    renew: Any = keeper._lost_entries

    def faulty(redis: Any, keys: Sequence[str], args: Sequence[str]) -> list[bytes]:
        if point.reached([("EVALSHA", lua.RENEW.sha)]) is None:
            return renew(redis, keys, args)
        if point.fault in ("error before it ran", "refused"):
            raise RedisConnectionError("refused by the test")
        lost: list[bytes] = renew(redis, keys, args)
        if point.fault == "cut":
            redis.execute_command("QUIT")
            return lost
        if point.fault == "hang":
            time.sleep(_HANG_SECONDS)
        raise RedisTimeoutError("lost by the test")

    monkeypatch.setattr(keeper, "_lost_entries", faulty)


class Task(BaseModel):
    """A payload that says how often to fail at first."""

    failures: int = 0


made: Counter[tuple[str, int]] = Counter()
"""How often each item of each job was made."""


@job_type("work")
async def work(ctx: JobContext[Task]) -> list[Any]:
    await ctx.compare("a model", 2)
    for index in range(2):
        if index in ctx.items:
            continue
        made[ctx.job_id, index] += 1
        ctx.reached(index, 0)
        await ctx.save_item(index, {"index": index})
        if ctx.attempt <= ctx.payload.failures:
            raise TransientError("not yet", code="provider_unavailable")
    return [ctx.items[index]["index"] for index in range(2)]


@job_type("stuck", expected_seconds=36_000)
async def stuck(ctx: JobContext[Task]) -> None:
    await asyncio.Event().wait()


@dataclass
class Jobs:
    """The jobs of a scenario by how they must end."""

    completed: list[Job]
    cancelled: list[Job]
    once: Job
    """The one of the completed that was submitted with a key."""


@pytest.mark.parametrize("point", POINTS, indirect=True)
async def test_each_job_ends_once_whatever_fails(
    engine: Engine, redis: Any, point: FaultPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.jobs.worker._DUE_SECONDS", 0.05)
    engine.registry.add(work, stuck)
    before = [await _abandoned(engine)] if point.script.name in AFTER_A_DEATH else []
    before.append(await engine.manager.create("work", {}))  # shows that there is room for the next
    point.armed = True
    jobs = await _submitted(engine)
    jobs.completed += before
    await _refused(engine)
    await engine.worker(lease_seconds=_LEASE_SECONDS)
    await _told(engine, jobs)
    await _cancelled(engine, point, jobs.cancelled)
    for job in jobs.completed:
        ended = await engine.ended(job.id)
        assert (ended.state, bytes(ended.result)) == (State.COMPLETED, b"[0,1]")
        assert json.loads(await engine.manager.read(job.id))["result"] == [0, 1]
    if point.script in (lua.FOLLOW, lua.FOLLOWED):
        await _followed(engine, redis, [*jobs.completed, *jobs.cancelled])
    if point.script not in (lua.DELETE, lua.UNSET):
        await wait_until(lambda: point.fired)
    assert {made[job.id, index] for job in jobs.completed for index in (0, 1)} == {1}
    await _nothing_left(redis, [*jobs.completed, *jobs.cancelled])
    await _deleted(engine, redis, jobs.once)
    assert point.fired


async def _abandoned(engine: Engine) -> Job:
    """A job whose worker died before it wrote anything."""
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    job = await engine.manager.create("work", {})

    claims = (await queue.claim("dead", 1)).claims
    assert isinstance(await store.begin(claims[0], "dead"), Begun)
    return job


async def _submitted(engine: Engine) -> Jobs:
    manager = engine.manager
    once, _ = await manager.create_once("work", {"failures": 1}, key="key")
    one_at_a_time = Options(owner="limited", running_limit=1)
    limited = [await manager.create("work", {}, one_at_a_time) for _ in range(2)]
    batch = await manager.create_all([("work", Task(), Options())] * 2)
    later = await manager.create("work", {}, Options(delay_seconds=3600))
    return Jobs([once, *limited, *batch], [await manager.create("stuck", {}), later], once)


async def _refused(engine: Engine) -> None:
    with pytest.raises(QueueFullError):
        await engine.new_manager(limit=1).create("work", {})


async def _told(engine: Engine, jobs: Jobs) -> None:
    """All are listed, those of each owner apart; what waits has a place; the queue is counted."""
    listed = {view.glance.id for view in (await engine.manager.list(Listing(limit=100))).jobs}
    assert listed == {job.id for job in [*jobs.completed, *jobs.cancelled]}
    later = await engine.manager.view(jobs.cancelled[-1].id)
    await engine.manager.place(later)
    assert later.position is not None
    assert (await engine.manager.stats()).depth.scheduled >= 1


async def _deleted(engine: Engine, redis: Any, job: Job) -> None:
    await engine.manager.delete(job.id)
    with pytest.raises(JobNotFoundError):
        await engine.manager.get(job.id)
    assert [key async for key in redis.scan_iter(f"*{job.id}*")] == []
    assert [key async for key in redis.scan_iter("idempotency:*")] == []


async def _cancelled(engine: Engine, point: FaultPoint, jobs: Sequence[Job]) -> None:
    async def runs() -> bool:
        renewed = point.fired or point.script is not lua.RENEW
        return renewed and (await engine.manager.get(jobs[0].id)).state is State.RUNNING

    await wait_until(runs)
    if point.script is lua.FORGET:
        await _release_again(engine, point, jobs[0])
    for job in jobs:
        await engine.manager.cancel(job.id)
        assert (await engine.ended(job.id)).state is State.CANCELLED


async def _release_again(engine: Engine, point: FaultPoint, job: Job) -> None:
    """A second entry for a job that runs, as healing a submit may bring one: it is forgotten."""
    queue = Queue(Pipeline(engine.connection()))
    await queue.intend([Release(job.id)])
    await queue.release([Release(job.id)])
    await wait_until(lambda: point.fired)


async def _followed(engine: Engine, redis: Any, jobs: Sequence[Job]) -> None:
    """Every end reaches whoever follows; another group, which is behind, keeps them all."""
    await redis.xgroup_create(ENDED, "behind", id="0", mkstream=True)
    notes = Notes()
    async with following(engine.url, notes, silent_seconds=0.2):
        await wait_until(lambda: set(notes.ids) == {job.id for job in jobs})
        await wait_until(lambda: nothing_pending(redis))


async def _nothing_left(redis: Any, jobs: Sequence[Job]) -> None:
    """The queue is empty, each end is noted once, and what stays of a job lives for a day at the most."""

    async def empty() -> bool:
        places = [key async for key in redis.scan_iter("queue:{default}:*")]
        kept = {b"ended", b"sweep", b"cursor", b"inspect", b"high", b"normal", b"low"}
        left = {key.rpartition(b":")[2] for key in places} - kept
        entries = sum([await redis.xlen(f"queue:{{default}}:{name}") for name in ("high", "normal", "low")])
        return not left and entries == 0

    await wait_until(empty)
    noted = Counter(entry[b"id"].decode() for _, entry in await redis.xrange("queue:{default}:ended"))
    assert noted == Counter(job.id for job in jobs)
    assert {key async for key in redis.scan_iter("job:*")} == {f"job:{job.id}".encode() for job in jobs}
    async for key in redis.scan_iter("*job:*"):
        assert 0 < await redis.ttl(key) <= _DAY_SECONDS, key
    for job in jobs:
        document = json.loads(await redis.get(f"job:{job.id}"))
        assert document["done"] is True
        assert await redis.get(f"{{job:{job.id}}}:lease") == b"end"


@pytest.mark.parametrize(
    "point", [(lua.RELEASE, 1, "reply lost"), (lua.RELEASE, 1, "hang")], indirect=True, ids=["reply lost", "hang"]
)
async def test_a_submit_that_is_repeated_when_its_job_has_ended_makes_no_second_end(
    engine: Engine, redis: Any, point: FaultPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.jobs.worker._DUE_SECONDS", 3600.0)  # no release but the submitter's
    await engine.worker(work)
    await engine.ended((await engine.manager.create("work", {})).id)
    point.armed = True
    submitted = asyncio.create_task(engine.manager.create("work", {}))
    await wait_until(lambda: point.fired)
    job = await submitted
    await engine.ended(job.id)

    async def settled() -> bool:
        left = [await redis.zcard(f"queue:{{default}}:{name}") for name in ("open", "scheduled")]
        return left == [0, 0] and await redis.xlen("queue:{default}:normal") == 0

    await wait_until(settled)
    noted = Counter(entry[b"id"].decode() for _, entry in await redis.xrange("queue:{default}:ended"))
    assert noted[job.id] == 1
