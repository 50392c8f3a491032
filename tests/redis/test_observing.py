"""What metrics say of jobs on a real Redis: ends, waits, rescues, refused writes, the queue, a worker that is stuck."""

import asyncio
import json
import time
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from loresmith.jobs import JobContext, Options, PermanentError, TransientError, job_type
from loresmith.jobs.observer import Observer
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.types import JobInput, decode_input, encode_input
from loresmith.telemetry import configure_logging
from loresmith.telemetry.metrics import Metrics
from loresmith.telemetry.subject import set_subject
from tests.redis.conftest import Engine
from tests.unit.test_metrics import samples
from tests.waiting import wait_until


class How(BaseModel):
    """How a job is to end."""

    end: str = "well"


@job_type("ends", max_attempts=2)
async def ends(ctx: JobContext[How]) -> int:
    match ctx.payload.end:
        case "badly":
            raise PermanentError("no", code="content_refused")
        case "late" if ctx.attempt == 1:
            raise TransientError("not yet", code="provider_unavailable", retry_after_seconds=0.0)
        case "broken":
            raise ValueError("a bug")
        case _:
            return ctx.attempt


async def test_ends_are_counted_by_type_status_and_code(engine: Engine) -> None:
    metrics = Metrics()
    await engine.worker(ends, observer=Observer(metrics=metrics))
    jobs = [await engine.manager.create("ends", {"end": end}) for end in ("well", "badly", "late")]
    for job in jobs:
        await engine.ended(job.id)
    await wait_until(lambda: _ends_in(metrics) == len(jobs))  # counted once Redis has confirmed the end
    found = samples(metrics)
    assert found["loresmith_jobs_ended_total code=ok status=completed type=ends"] == 2
    assert found["loresmith_jobs_ended_total code=content_refused status=failed type=ends"] == 1
    assert found["loresmith_jobs_retries_total code=provider_unavailable type=ends"] == 1
    assert found["loresmith_jobs_run_seconds_count status=completed type=ends"] == 2
    assert found["loresmith_jobs_wait_seconds_count type=ends"] == 3
    assert found["loresmith_redis_round_trip_seconds_count"] > 3
    assert found["loresmith_jobs_stale_writes_refused_total"] == 0


def _ends_in(metrics: Metrics) -> float:
    return sum(value for name, value in samples(metrics).items() if name.startswith("loresmith_jobs_ended_total"))


async def test_a_job_that_is_cancelled_while_it_waits_has_ended_without_running(engine: Engine) -> None:
    metrics = Metrics()
    engine.registry.add(ends)
    manager = engine.new_manager(observer=Observer(metrics=metrics))
    job = await manager.create("ends", {})
    await manager.cancel(job.id)
    found = samples(metrics)
    assert found["loresmith_jobs_submitted_total type=ends"] == 1
    assert found["loresmith_jobs_ended_total code=cancelled status=failed type=ends"] == 1
    assert not [name for name in found if name.startswith("loresmith_jobs_run_seconds_count")]


async def test_a_submit_that_tells_its_place_is_one_round_trip(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the process has seen how much room there is and how fast jobs end."""
    monkeypatch.setattr("loresmith.jobs.submitter._FRESH_SECONDS", 60.0)
    monkeypatch.setattr("loresmith.jobs.census._FRESH_SECONDS", 60.0)
    metrics = Metrics()
    engine.registry.add(ends)
    manager = engine.new_manager(observer=Observer(metrics=metrics))
    await manager.submit("ends", {})
    before = samples(metrics)["loresmith_redis_round_trip_seconds_count"]
    view, replayed = await manager.submit("ends", {})
    assert (view.position, replayed) == (2, False)
    assert samples(metrics)["loresmith_redis_round_trip_seconds_count"] == before + 1


async def test_a_rescue_and_the_refused_write_of_the_stale_worker_are_counted(engine: Engine) -> None:
    stale, fresh = Metrics(), Metrics()
    begun, goes_on = asyncio.Event(), asyncio.Event()

    @job_type("slow")
    async def slow(ctx: JobContext[How]) -> int:
        if ctx.run == 1:
            begun.set()
            await goes_on.wait()
        return ctx.run

    first = await engine.worker(slow, observer=Observer(metrics=stale))
    first._keeper._stopped.set()  # as if it were frozen: nothing renews its lease
    job = await engine.manager.create("slow", {})
    await begun.wait()
    await wait_until(lambda: not first._keeper._thread.is_alive())
    first._rescuer._lease_seconds = 1e9  # and it takes over nothing
    await engine.worker(lease_seconds=0.5, observer=Observer(metrics=fresh))
    assert bytes((await engine.ended(job.id)).result) == b"2"
    goes_on.set()
    await wait_until(lambda: samples(stale)["loresmith_jobs_stale_writes_refused_total"] >= 1)
    assert samples(fresh)["loresmith_jobs_rescued_total"] == 1
    assert not [name for name in samples(stale) if name.startswith("loresmith_jobs_ended_total")]


async def test_the_age_of_the_queue_is_that_of_the_entry_that_waits_longest(engine: Engine) -> None:
    engine.registry.add(ends)
    assert (await engine.manager.counts()).oldest_waiting_seconds == 0
    began = time.monotonic()
    first = await engine.manager.create("ends", {})
    await wait_until(lambda: _older_than(engine, 0.05))
    await engine.manager.create("ends", {}, Options(delay_seconds=60))
    counts = await engine.manager.counts()
    assert 0.05 < counts.oldest_waiting_seconds <= time.monotonic() - began + 0.1
    assert (dict(counts.waiting), counts.scheduled, counts.open, counts.workers) == (
        {"high": 0, "normal": 1, "low": 0},
        1,
        2,
        0,
    )
    pipeline = Pipeline(engine.connection())
    [claim] = (await Queue(pipeline).claim("w", 5)).claims
    assert claim.job_id == first.id
    counts = await engine.manager.counts()
    assert (counts.oldest_waiting_seconds, counts.running) == (0, 1)
    await pipeline.close()


async def _older_than(engine: Engine, seconds: float) -> bool:
    return (await engine.manager.counts()).oldest_waiting_seconds > seconds


async def test_a_worker_that_could_claim_and_does_not_is_stuck(engine: Engine) -> None:
    worker = await engine.worker(ends)
    looked = worker.last_look
    await wait_until(lambda: worker.last_look > looked)
    assert worker.stuck_seconds() < 5
    await worker._filling.acquire()  # claiming hangs
    await wait_until(lambda: worker.stuck_seconds() > 0.2)
    worker._pipeline.was_away()
    assert worker.stuck_seconds() < 0.2  # Redis was away: nothing of the worker's own
    worker.concurrency = 0
    assert worker.stuck_seconds() == 0
    worker._filling.release()


async def test_lines_about_a_job_name_it_and_the_request_that_it_goes_back_to(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", "json")
    await engine.worker(ends)

    async def submit() -> str:
        set_subject(lambda: {"request_id": "r-1"})
        return (await engine.manager.create("ends", {"end": "broken"})).id

    job = await engine.ended(await asyncio.create_task(submit()))
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [line] = [line for line in lines if line["event"] == "handler failed"]
    assert {name: line[name] for name in ("job_id", "type", "attempt", "owner", "request_id")} == {
        "job_id": job.id,
        "type": "ends",
        "attempt": 1,
        "owner": job.owner,
        "request_id": "r-1",
    }


class _Before(msgspec.Struct, kw_only=True):
    """What the release before knows of an input."""

    payload: msgspec.Raw
    owner: str
    root_job_id: str
    queue: str = "default"
    deadline_seconds: float | None = None
    running_limit: int = 0
    type_limit: int = 0
    idempotency: str = ""
    v: int = 1


def test_two_releases_read_what_the_other_has_written() -> None:
    new = JobInput(payload=msgspec.Raw(b"{}"), owner="ann", root_job_id="1", request_id="r", traceparent="t")
    assert msgspec.json.decode(encode_input(new), type=_Before).owner == "ann"
    old = decode_input(msgspec.json.encode(_Before(payload=msgspec.Raw(b"{}"), owner="ann", root_job_id="1")))
    assert (old.owner, old.request_id, old.traceparent) == ("ann", "", "")
