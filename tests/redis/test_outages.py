"""Jobs whose provider or storage is away: they wait, in the queue and not in a slot, and no attempt counts."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from loresmith.jobs import (
    Failed,
    Job,
    JobContext,
    Options,
    Pacing,
    State,
    Status,
    TransientError,
    Unavailable,
    job_type,
)
from loresmith.jobs.observer import Observer
from loresmith.telemetry.metrics import Metrics
from tests.pacing import QUICK
from tests.redis.conftest import Engine
from tests.unit.test_metrics import samples
from tests.waiting import wait_until

LONG = Pacing(first_wait_seconds=60.0, longest_wait_seconds=60.0)


class Nothing(BaseModel):
    """A payload."""


class Service:
    """What the jobs of a test need: it is away, or there."""

    def __init__(self) -> None:
        self.away: Exception | None = TransientError("the forge is cold", code="provider_unavailable", began=False)
        self.calls = 0

    def call(self) -> None:
        self.calls += 1
        if self.away is not None:
            raise self.away


@job_type("needy", max_attempts=2)
async def needy(ctx: JobContext[Nothing]) -> int:
    ctx.resource(Service).call()
    return ctx.attempt


@job_type("idle")
async def idle(ctx: JobContext[Nothing]) -> int:
    return 1


@pytest.fixture(autouse=True)
def _due_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loresmith.jobs.worker._DUE_SECONDS", 0.02)


async def when(engine: Engine, job_id: str, true: Callable[[Job], object]) -> Job:
    async def found() -> Job | None:
        job = await engine.manager.get(job_id)
        return job if true(job) else None

    job = await wait_until(found)
    assert job is not None
    return job


def waits_of(job: Job) -> int:
    return job.retries.get("waits", 0) if isinstance(job.retries, dict) else 0


async def test_a_job_waits_for_what_is_away_and_no_attempt_counts(engine: Engine) -> None:
    service, metrics = Service(), Metrics()
    await engine.worker(needy, resources={Service: service}, observer=Observer(metrics=metrics))
    job = await engine.manager.create("needy", {})
    waiting = await when(engine, job.id, lambda found: found.state == "retrying" and waits_of(found) >= 5)
    assert (waiting.status, waiting.attempt, waiting.message) == ("processing", 1, "Waiting: the forge is cold")
    assert not isinstance(waiting.waiting, msgspec.UnsetType)
    assert (waiting.waiting.code, waiting.waiting.reason) == ("provider_unavailable", "the forge is cold")
    assert waiting.waiting.times >= 5
    assert waiting.eta is None
    service.away = None
    ended = await engine.ended(job.id)
    assert (ended.status, ended.attempt, bytes(ended.result)) == (Status.COMPLETED, 1, b"1")
    assert waits_of(ended) == service.calls - 1
    assert isinstance(ended.waiting, msgspec.UnsetType)
    name = "loresmith_jobs_waits_total code=provider_unavailable type=needy"
    assert samples(metrics)[name] == service.calls - 1


async def test_a_waiting_job_holds_no_slot(engine: Engine) -> None:
    await engine.worker(needy, idle, resources={Service: Service()}, concurrency=1, pacing=LONG)
    for _ in range(20):
        job = await engine.manager.create("needy", {})
        await when(engine, job.id, lambda found: found.state == "retrying")
    other = await engine.manager.create("idle", {})
    assert (await engine.ended(other.id, seconds=5)).status is Status.COMPLETED


async def test_a_waiting_job_is_cancelled_at_once(engine: Engine) -> None:
    await engine.worker(needy, resources={Service: Service()}, pacing=LONG)
    job = await engine.manager.create("needy", {})
    await when(engine, job.id, lambda found: found.state == "retrying")
    assert (await engine.manager.cancel(job.id)).state is State.CANCELLED


async def test_a_job_that_waits_fails_at_its_deadline_and_says_why(engine: Engine) -> None:
    service = Service()
    await engine.worker(needy, resources={Service: service}, pacing=LONG)
    job = await engine.manager.create("needy", {}, Options(deadline_seconds=1))
    ended = await engine.ended(job.id, seconds=10)
    assert ended.error == "The job did not end within 1 s: the forge is cold"
    assert ended.error_detail
    assert (ended.error_detail.code, ended.error_detail.retryable) == ("deadline_exceeded", True)
    assert service.calls == 1, "the wait of a minute ended at the deadline"
    service.away = None
    again = await engine.ended((await engine.manager.retry(job.id)).id)
    assert again.status is Status.COMPLETED


async def test_retries_of_different_causes_are_counted_apart(engine: Engine) -> None:
    codes = ["provider_unavailable", "storage_unavailable", "provider_unavailable", "storage_unavailable"]
    seen: list[int] = []

    @job_type("unlucky", max_attempts=3)
    async def unlucky(ctx: JobContext[Nothing]) -> int:
        seen.append(ctx.attempt)
        if codes:
            raise TransientError("not yet", code=codes.pop(0))
        return 1

    await engine.worker(unlucky)
    ended = await engine.ended((await engine.manager.create("unlucky", {})).id)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 3)
    assert ended.retries == {"provider_unavailable": 2, "storage_unavailable": 2}
    assert seen == [1, 2, 2, 3, 3], "never above max_attempts, never back"


async def test_failures_that_an_older_release_counted_stay_counted(engine: Engine) -> None:
    """A worker that does not know `retries` drops it, and counts in `attempt` alone."""
    tries: list[int] = []

    @job_type("handed", max_attempts=3)
    async def handed(ctx: JobContext[Nothing]) -> int:
        tries.append(ctx.attempt)
        ctx._run.job.retries = msgspec.UNSET
        raise TransientError("not yet", code="provider_unavailable")

    await engine.worker(handed)
    ended = await engine.ended((await engine.manager.create("handed", {})).id)
    assert (ended.status, ended.attempt, tries) == (Status.FAILED, 3, [1, 2, 3])


async def test_a_run_that_lost_paid_work_costs_an_attempt(engine: Engine) -> None:
    """A handler cancels its other calls when one finds the provider away: what they had written is paid."""
    tries: list[int] = []

    @job_type("spender", max_attempts=2)
    async def spender(ctx: JobContext[Nothing]) -> int:
        tries.append(ctx.attempt)
        ctx.in_flight("other call", 10, 5)
        raise TransientError("the forge is cold", code="provider_unavailable", began=False)

    await engine.worker(spender)
    ended = await engine.ended((await engine.manager.create("spender", {})).id)
    assert (ended.status, ended.attempt, tries) == (Status.FAILED, 2, [1, 2])
    assert ended.error_detail
    assert (ended.error_detail.code, ended.error) == ("provider_unavailable", "The forge is cold")


async def test_pauses_begin_short_again_after_something_was_saved(engine: Engine) -> None:
    service, times = Service(), list[int]()

    @job_type("saver")
    async def saver(ctx: JobContext[Nothing]) -> int:
        waited = ctx._run.found.waited
        times.append(waited.times if waited else 0)
        if len(times) == 4:
            await ctx.save_item(0, {})
        if len(times) < 6:
            service.call()
        return 1

    await engine.worker(saver)
    await engine.ended((await engine.manager.create("saver", {})).id)
    assert times == [0, 1, 2, 3, 1, 2]


async def test_an_error_that_classify_calls_unavailable_waits(engine: Engine) -> None:
    def classify(error: Exception) -> Failed | Unavailable | None:
        return Unavailable("storage_unavailable", "no disk", "Waiting for a disk") if "disk" in str(error) else None

    service = Service()
    service.away = OSError("disk")
    await engine.worker(needy, resources={Service: service}, classify=classify)
    job = await engine.manager.create("needy", {})
    await when(engine, job.id, lambda found: found.message == "Waiting for a disk")
    service.away = None
    assert (await engine.ended(job.id)).attempt == 1


async def test_a_worker_that_stops_leaves_waiting_jobs_to_another(engine: Engine) -> None:
    service = Service()
    first: Any = await engine.worker(needy, resources={Service: service})
    job = await engine.manager.create("needy", {})
    await when(engine, job.id, lambda found: waits_of(found) >= 2)
    first.stop()
    await engine.worker(needy, resources={Service: service}, pacing=QUICK)
    service.away = None
    assert (await engine.ended(job.id)).status is Status.COMPLETED
