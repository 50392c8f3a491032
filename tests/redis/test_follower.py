"""Jobs that ended are followed: each one, after any crash, and the stream of them does not grow for ever."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel
from redis.exceptions import ResponseError

from loresmith.jobs import EndedJob, Follower, JobContext, Options, PermanentError, TransientError, job_type
from loresmith.jobs.connection import Connections
from tests.redis.conftest import Engine
from tests.waiting import wait_until

ENDED = "queue:{default}:ended"
SUBMISSION: tuple[str, object, Options] = ("obey", {}, Options())


class Order(BaseModel):
    """What to do."""

    fail: bool = False


@job_type("obey")
async def obey(ctx: JobContext[Order]) -> str:
    if ctx.payload.fail:
        raise PermanentError("as you wish")
    return "done"


class Notes:
    """What a follower was given; raises `errors` first."""

    def __init__(self, *errors: Exception) -> None:
        self.seen: list[EndedJob] = []
        self.errors = list(errors)

    async def follow(self, ended: Sequence[EndedJob]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.seen += ended

    @property
    def ids(self) -> list[str]:
        return [one.job.id for one in self.seen]


@asynccontextmanager
async def following(url: str, notes: Any, **options: Any) -> AsyncGenerator[Follower]:
    chosen: dict[str, Any] = {"group": "history", "pause_seconds": 0.02, "silent_seconds": 60.0, "stay": 0, **options}
    follower = Follower(connections=Connections(url), follow=notes.follow, **chosen)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        follower.stop()
        task.cancel()
        await asyncio.wait({task})


async def ended_jobs(engine: Engine, count: int) -> list[str]:
    """Run jobs to their end and return their ids."""
    jobs = await engine.manager.create_all([SUBMISSION] * count)
    for job in jobs:
        await engine.ended(job.id)
    return [job.id for job in jobs]


async def test_jobs_are_followed_however_they_ended(engine: Engine) -> None:
    await engine.worker(obey)
    completed = await engine.manager.create("obey", {}, Options(owner="anna"))
    failed = await engine.manager.create("obey", {"fail": True})
    cancelled = await engine.manager.create("obey", {}, Options(delay_seconds=60))
    await engine.manager.cancel(cancelled.id)
    notes = Notes()
    async with following(engine.url, notes):
        await wait_until(lambda: len(notes.seen) == 3)
    assert {one.job.id: one.job.state for one in notes.seen} == {
        completed.id: "completed",
        failed.id: "failed",
        cancelled.id: "cancelled",
    }
    assert {one.job.id: one.submitted.owner for one in notes.seen}[completed.id] == "anna"


async def test_jobs_that_ended_before_anybody_followed_are_not_missed(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 250)
    notes = Notes()
    async with following(engine.url, notes):
        await wait_until(lambda: len(notes.seen) == 250)
        await wait_until(lambda: _left(redis, 1))
    assert sorted(notes.ids) == sorted(ids)


async def test_the_last_that_ended_stay_for_the_figures(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    notes = Notes()
    async with following(engine.url, notes, stay=20, most=25):
        ids = await ended_jobs(engine, 100)
        await wait_until(lambda: len(notes.seen) == 100)
        await wait_until(lambda: _left(redis, 40))
    entries = [entry[b"id"].decode() for _, entry in await redis.xrange(ENDED)]
    assert len(entries) >= 20
    assert set(entries) <= set(ids)
    figures = await engine.manager.stats()
    assert figures.types["obey"].completed == len(entries)
    assert figures.per_minute > 0


async def test_what_fails_is_tried_again_with_the_same_jobs(engine: Engine) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 5)
    notes = Notes(TransientError("away"), RuntimeError("a bug"), TransientError("away"))
    async with following(engine.url, notes):
        await wait_until(lambda: sorted(notes.ids) == sorted(ids))


async def test_a_batch_that_failed_does_not_expire_meanwhile(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 3)
    notes = Notes(TransientError("away"))
    async with following(engine.url, notes, pause_seconds=0.3):
        await wait_until(lambda: not notes.errors)
        for job_id in ids:
            await redis.delete(f"job:{job_id}")
        await wait_until(lambda: sorted(notes.ids) == sorted(ids))


async def test_several_readers_share_the_jobs(engine: Engine) -> None:
    await engine.worker(obey, concurrency=20)
    notes = Notes()
    async with following(engine.url, notes, most=7), following(engine.url, notes, most=7):
        ids = await ended_jobs(engine, 100)
        await wait_until(lambda: len(notes.seen) >= 100)
    assert Counter(notes.ids) == Counter(ids)


async def test_what_a_dead_reader_held_goes_to_another(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 30)
    frozen, notes = Frozen(), Notes()
    async with following(engine.url, frozen, most=20):
        await frozen.reached.wait()
    async with following(engine.url, notes, most=4, silent_seconds=0.2):
        await wait_until(lambda: len(notes.seen) == 30)
        await wait_until(lambda: _left(redis, 1))
    assert sorted(notes.ids) == sorted(ids)


class Frozen:
    """Never comes to an end, as a process that dies while it writes."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def follow(self, ended: Sequence[EndedJob]) -> None:
        self.reached.set()
        await asyncio.Event().wait()


async def test_a_group_that_is_behind_keeps_what_it_needs(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    await redis.xgroup_create(ENDED, "webhooks", id="0", mkstream=True)
    ids = await ended_jobs(engine, 40)
    notes, late = Notes(), Notes()
    async with following(engine.url, notes):
        await wait_until(lambda: len(notes.seen) == 40)
        await wait_until(lambda: nothing_pending(redis))
    assert await redis.xlen(ENDED) == 40
    async with following(engine.url, late, group="webhooks"):
        await wait_until(lambda: len(late.seen) == 40)
        await wait_until(lambda: _left(redis, 1))
    assert sorted(late.ids) == sorted(ids)


async def test_entries_between_that_are_with_a_reader_are_kept(engine: Engine, redis: Any) -> None:
    """The first of them bounds what is trimmed, not the last that was given out."""
    await engine.worker(obey)
    await ended_jobs(engine, 10)
    frozen, notes = Frozen(), Notes()
    async with following(engine.url, frozen, most=4):
        await frozen.reached.wait()
        async with following(engine.url, notes, most=4):
            await wait_until(lambda: len(notes.seen) == 6)
            await wait_until(lambda: _pending(redis, 4))
        assert await redis.xlen(ENDED) == 10


async def test_a_job_that_expired_is_skipped_and_said(
    engine: Engine, redis: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 3)
    await redis.delete(f"job:{ids[0]}")
    notes = Notes()
    async with following(engine.url, notes):
        await wait_until(lambda: len(notes.seen) == 2)
        await wait_until(lambda: nothing_pending(redis))
    assert ids[0] in capsys.readouterr().out


async def test_a_document_that_nobody_can_read_holds_nobody_up(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 3)
    await redis.set(f"job:{ids[1]}", "{", keepttl=True)
    notes = Notes()
    async with following(engine.url, notes):
        await wait_until(lambda: len(notes.seen) == 2)
        await wait_until(lambda: nothing_pending(redis))


async def test_a_job_whose_end_was_lost_is_followed_when_it_ends_again(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    [job_id] = await ended_jobs(engine, 1)
    document = await redis.get(f"job:{job_id}")
    await redis.set(f"job:{job_id}", document.replace(b'"done":true', b'"done":false'), keepttl=True)
    notes = Notes()
    async with following(engine.url, notes, silent_seconds=0.1):
        await wait_until(lambda: _pending(redis, 1))
        assert notes.seen == []
        await redis.set(f"job:{job_id}", document, keepttl=True)
        await wait_until(lambda: notes.ids == [job_id])


async def test_a_redis_that_lost_everything_is_followed_on(engine: Engine, redis: Any) -> None:
    await engine.worker(obey)
    notes = Notes()
    async with following(engine.url, notes):
        before = await ended_jobs(engine, 2)
        await wait_until(lambda: sorted(notes.ids) == sorted(before))
        await redis.delete(ENDED)
        after = await ended_jobs(engine, 2)
        await wait_until(lambda: sorted(notes.ids) == sorted(before + after))


async def test_readers_that_are_gone_are_forgotten(engine: Engine, redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following(engine.url, Notes()):
        await wait_until(lambda: _readers(redis))
    gone = await _readers(redis)
    monkeypatch.setattr("loresmith.jobs.follower._TIDY_SECONDS", 0.01)
    monkeypatch.setattr("loresmith.jobs.follower._GONE_SECONDS", 0.1)
    async with following(engine.url, Notes()):
        await wait_until(lambda: _others(redis, gone))


async def _others(redis: Any, gone: set[bytes]) -> bool:
    found = await _readers(redis)
    return bool(found) and not found & gone


async def _left(redis: Any, count: int) -> bool:
    return await redis.xlen(ENDED) <= count


async def _pending(redis: Any, count: int) -> bool:
    try:
        return (await redis.xpending(ENDED, "history"))["pending"] == count
    except ResponseError:  # the first reader has not made the group yet
        return False


async def nothing_pending(redis: Any) -> bool:
    """Whether the group has acknowledged all that it was given."""
    return await _pending(redis, 0)


async def _readers(redis: Any) -> set[bytes]:
    try:
        return {reader["name"] for reader in await redis.xinfo_consumers(ENDED, "history")}
    except ResponseError:
        return set()
