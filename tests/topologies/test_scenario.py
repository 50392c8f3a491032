"""What the engine promises holds on every kind of Redis: with TLS and passwords, with a Sentinel, on a Cluster."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.jobs import JobContext, Options, State, Status, TransientError, job_type
from loresmith.jobs.hints import CancelHints
from tests.redis.conftest import Engine
from tests.redis.test_follower import Notes, following
from tests.topologies.conftest import KINDS
from tests.waiting import wait_until

pytestmark = pytest.mark.parametrize("url", KINDS, indirect=True)


class Step(BaseModel):
    """A payload that says whether to fail at first."""

    fail_first: bool = False


@job_type("itemized")
async def itemized(ctx: JobContext[Step]) -> list[Any]:
    """Save three items; with `fail_first`, fail once after the first."""
    for index in range(3):
        if index not in ctx.items:
            await ctx.save_item(index, {"index": index, "attempt": ctx.attempt})
        ctx.report((index + 1) / 3, f"item {index}")
        if ctx.payload.fail_first and ctx.attempt == 1:
            raise TransientError("not yet", code="provider_unavailable")
    ctx.finalizing("Putting it together...")
    return [ctx.items[index] for index in range(3)]


async def forever(ctx: JobContext[Step]) -> int:
    await asyncio.Event().wait()
    return ctx.run


stuck = job_type("stuck", expected_seconds=36_000)(forever)


async def test_jobs_run_with_items_progress_retry_delay_batch_and_owner_limit(engine: Engine) -> None:
    await engine.worker(itemized)
    manager = engine.manager
    made = [await manager.create("itemized", {}), await manager.create("itemized", {"fail_first": True})]
    made.append(await manager.create("itemized", {}, Options(delay_seconds=0.5)))
    limited = Options(owner="one at a time", running_limit=1)
    made += [await manager.create("itemized", {}, limited) for _ in range(3)]
    made += await manager.create_all([("itemized", Step(), Options())] * 5)
    first = await manager.create_once("itemized", {}, key="k")
    again, replayed = await manager.create_once("itemized", {}, key="k")
    assert (again.id, replayed) == (first[0].id, True)
    for job in [*made, first[0]]:
        ended = await engine.ended(job.id)
        assert (ended.status, ended.progress) == (Status.COMPLETED, 100)
        stored = json.loads(await manager.read(job.id))
        assert [item["index"] for item in stored["result"]] == [0, 1, 2]
    retried = await manager.get(made[1].id)
    assert retried.attempt == 2
    assert [item["attempt"] for item in json.loads(bytes(retried.result))] == [1, 2, 2]  # the first was not made again


async def test_jobs_that_end_are_followed(engine: Engine) -> None:
    await engine.worker(itemized)
    made = await engine.manager.create_all([("itemized", Step(), Options())] * 20)
    notes = Notes()
    async with following(engine.url, notes, most=7), following(engine.url, notes, most=7):
        await wait_until(lambda: len(notes.seen) >= 20)
    assert sorted(notes.ids) == sorted(job.id for job in made)


async def _running(engine: Engine, job_id: str) -> None:
    async def runs() -> bool:
        return (await engine.manager.get(job_id)).state is State.RUNNING

    await wait_until(runs)


async def _cancelled(engine: Engine) -> None:
    job = await engine.manager.create("stuck", {})
    await _running(engine, job.id)
    await engine.manager.cancel(job.id)
    assert (await engine.ended(job.id)).state is State.CANCELLED


async def test_a_cancel_reaches_a_running_job_by_its_hint(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loresmith.jobs.writer._LOOK_SECONDS", 3600.0)
    await engine.worker(stuck)
    await _listening(engine)
    await _cancelled(engine)


async def _listening(engine: Engine) -> None:
    """Wait until somebody hears what is published: a hint that nobody hears is lost, and may be."""
    client = engine.connection()

    async def heard() -> bool:
        return bool(await client.publish("job-cancels", "nobody"))

    await wait_until(heard)


async def test_a_cancel_whose_hint_is_lost_is_seen_by_its_mark(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CancelHints, "listen", _never)
    await engine.worker(stuck)
    await _cancelled(engine)


async def _never(*_: object) -> None:
    await asyncio.Event().wait()


async def test_a_job_whose_worker_stops_renewing_is_run_by_another(engine: Engine) -> None:
    runs: list[int] = []
    first_may_end = asyncio.Event()

    @job_type("watched")
    async def watched(ctx: JobContext[Step]) -> int:
        runs.append(ctx.run)
        if ctx.run == 1:
            await first_may_end.wait()
        return ctx.run

    silent = await engine.worker(watched, lease_seconds=1.0)
    job = await engine.manager.create("watched", {})
    await wait_until(lambda: runs == [1])
    silent._keeper._stopped.set()
    silent._rescuer._lease_seconds = float("inf")  # it would take its own entry over, and so keep it
    await engine.worker(watched, lease_seconds=1.0)
    ended = await engine.ended(job.id)
    first_may_end.set()
    assert (ended.status, ended.rescues, bytes(ended.result), runs) == (Status.COMPLETED, 1, b"2", [1, 2])
    assert (await engine.manager.get(job.id)).seq == ended.seq


async def test_a_worker_that_drains_hands_its_job_to_the_next(engine: Engine) -> None:
    runs: list[int] = []

    @job_type("handed")
    async def handed(ctx: JobContext[Step]) -> int:
        runs.append(ctx.run)
        if ctx.run == 1:
            await asyncio.Event().wait()
        return ctx.run

    stopping = await engine.worker(handed)
    job = await engine.manager.create("handed", {})
    await wait_until(lambda: runs == [1])
    stopping.stop()
    await engine.worker(handed)
    ended = await engine.ended(job.id)
    assert (ended.status, ended.attempt, ended.rescues, runs) == (Status.COMPLETED, 1, 0, [1, 2])
