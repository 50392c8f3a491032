"""The life of a job on a real Redis, from submit to its end."""

import asyncio
import contextlib
import json
import signal
import time
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, Field

from loresmith.jobs import (
    IdempotencyKeyReusedError,
    InvalidPayloadError,
    JobContext,
    JobNotFoundError,
    LeaseLostError,
    NotRetryableError,
    Options,
    PermanentError,
    Priority,
    QueueFullError,
    State,
    Status,
    TooManyActiveJobsError,
    TransientError,
    UnknownJobTypeError,
    job_type,
)
from loresmith.jobs.claim import Begun
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.store import Store, waiting_lease
from loresmith.jobs.types import seconds_since
from tests.loaded import Loaded
from tests.redis.conftest import Engine
from tests.waiting import wait_until


class Count(BaseModel):
    """A payload with a bound."""

    count: int = Field(ge=1, le=10)


@job_type("double")
async def double(ctx: JobContext[Count]) -> int:
    return 2 * ctx.payload.count


async def test_a_submitted_job_waits_until_a_worker_takes_it(engine: Engine) -> None:
    engine.registry.add(double)
    job = await engine.manager.create("double", {"count": 2})
    assert (job.status, job.progress, job.message) == (Status.PENDING, 0, "Preparing your request...")

    stored = json.loads(await engine.manager.read(job.id))
    assert stored["status"] == "pending"
    assert stored["result"] is None
    assert "error" not in stored
    assert "completed_at" not in stored


async def test_a_job_completes_with_the_result_of_its_handler(engine: Engine) -> None:
    await engine.worker(double)
    job = await engine.manager.create("double", {"count": 4})
    await engine.ended(job.id)

    stored = json.loads(await engine.manager.read(job.id))
    assert stored["status"] == "completed"
    assert stored["result"] == 8
    assert stored["progress"] == 100
    assert stored["message"] == "Job completed successfully"
    assert stored["completed_at"] >= stored["started_at"] >= stored["created_at"]
    assert stored["expires_at"] > stored["completed_at"]


async def test_the_document_is_plain_json_that_expires_within_a_day(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    job = await engine.manager.create("double", {"count": 1})
    assert json.loads(await redis.get(f"job:{job.id}"))["id"] == job.id
    assert 86_300 < await redis.ttl(f"job:{job.id}") <= 86_400
    assert b"count" not in await redis.get(f"job:{job.id}")  # the payload is stored apart


async def test_a_wrong_payload_names_the_field_and_leaves_no_job(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    with pytest.raises(InvalidPayloadError) as caught:
        await engine.manager.create("double", {"count": 11})
    assert [problem.pointer for problem in caught.value.problems] == ["/payload/count"]
    assert await redis.dbsize() == 0


async def test_an_unknown_type_names_those_that_are_known(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    with pytest.raises(UnknownJobTypeError, match="'triple', expected one of: double"):
        await engine.manager.create("triple", {})
    assert await redis.dbsize() == 0


async def test_a_full_queue_refuses_and_leaves_no_job(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    manager = engine.new_manager(limit=1)
    first = await manager.create("double", {"count": 1})
    with pytest.raises(QueueFullError):
        await manager.create("double", {"count": 1})
    assert [key async for key in redis.scan_iter("job:*")] == [f"job:{first.id}".encode()]


@pytest.mark.parametrize("job_id", ["", "nonsense", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "{x}", "a" * 10_000])
async def test_an_unknown_id_is_not_found(engine: Engine, job_id: str) -> None:
    with pytest.raises(JobNotFoundError):
        await engine.manager.read(job_id)


async def test_finished_items_show_while_the_job_still_runs(engine: Engine) -> None:
    go_on = asyncio.Event()

    @job_type("items")
    async def items(ctx: JobContext[Count]) -> list[dict[str, Any]]:
        await ctx.save_item(1, {"name": "second"})
        await go_on.wait()
        await ctx.save_item(0, {"name": "first"})
        return [ctx.items[0], ctx.items[1]]

    await engine.worker(items)
    job = await engine.manager.create("items", {"count": 2})

    async def shown() -> list[Any]:
        return json.loads(await engine.manager.read(job.id))["items"]

    assert await wait_until(shown) == [{"name": "second"}]
    assert (await engine.manager.get(job.id)).state is State.RUNNING
    go_on.set()
    await engine.ended(job.id)
    assert json.loads(await engine.manager.read(job.id))["result"] == [{"name": "first"}, {"name": "second"}]


async def test_progress_follows_the_fraction_and_never_goes_back(engine: Engine) -> None:
    fractions = asyncio.Queue[float | None]()

    @job_type("measured")
    async def measured(ctx: JobContext[Count]) -> int:
        while (fraction := await fractions.get()) is not None:
            ctx.report(fraction, "Generating...")
        ctx.finalizing("Finalizing...")
        await fractions.get()
        return 1

    await engine.worker(measured)
    job = await engine.manager.create("measured", {"count": 1})

    async def progress_is(value: int) -> bool:
        return (await engine.manager.get(job.id)).progress == value

    for fraction, shown in ((0.0, 20), (0.5, 49), (0.2, 49), (1.0, 79)):
        fractions.put_nowait(fraction)
        await wait_until(lambda shown=shown: progress_is(shown))
    assert (await engine.manager.get(job.id)).progress_source == "measured"
    fractions.put_nowait(None)
    await wait_until(lambda: progress_is(90))
    fractions.put_nowait(None)
    assert (await engine.ended(job.id)).progress == 100


async def test_a_handler_that_says_nothing_is_simulated_by_the_clock(engine: Engine) -> None:
    go_on = asyncio.Event()

    @job_type("silent", expected_seconds=3.0)
    async def silent(ctx: JobContext[Count]) -> int:
        await go_on.wait()
        return 1

    await engine.worker(silent)
    job = await engine.manager.create("silent", {"count": 1})

    async def moved() -> int:
        found = await engine.manager.get(job.id)
        return found.progress if found.progress > 30 else 0

    assert await wait_until(moved) <= 79
    assert (await engine.manager.get(job.id)).progress_source == "simulated"
    go_on.set()
    await engine.ended(job.id)


async def test_a_transient_failure_is_tried_again_and_keeps_its_items(engine: Engine) -> None:
    written: list[int] = []

    @job_type("flaky")
    async def flaky(ctx: JobContext[Count]) -> list[Any]:
        for index in range(2):
            if index not in ctx.items:
                written.append(index)
                await ctx.save_item(index, {"attempt": ctx.attempt})
                if ctx.attempt == 1:
                    raise TransientError("the model is busy", code="provider_unavailable")
        return [ctx.items[0], ctx.items[1]]

    await engine.worker(flaky)
    job = await engine.manager.create("flaky", {"count": 1})
    ended = await engine.ended(job.id)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 2)
    assert written == [0, 1]
    assert msgspec.json.decode(ended.result) == [{"attempt": 1}, {"attempt": 2}]


@pytest.mark.parametrize(
    ("error", "code", "message", "attempts"),
    [
        (TransientError("busy", code="provider_unavailable"), "provider_unavailable", "busy", 2),
        (PermanentError("refused", code="content_refused"), "content_refused", "refused", 1),
        (ValueError("secret detail"), "internal", "Something went wrong while running this job", 1),
    ],
)
async def test_a_failed_job_says_why_and_nothing_else(
    engine: Engine, error: Exception, code: str, message: str, attempts: int
) -> None:
    tries: list[int] = []

    @job_type("failing", max_attempts=2)
    async def failing(ctx: JobContext[Count]) -> int:
        tries.append(ctx.attempt)
        raise error

    await engine.worker(failing)
    job = await engine.manager.create("failing", {"count": 1})
    ended = await engine.ended(job.id)
    assert (ended.status, ended.error) == (Status.FAILED, message)
    assert ended.error_detail
    assert ended.error_detail.code == code
    assert tries == list(range(1, attempts + 1))
    assert b"secret detail" not in await engine.manager.read(job.id)


async def test_a_waiting_job_is_cancelled_at_once(engine: Engine) -> None:
    engine.registry.add(double)
    job = await engine.manager.create("double", {"count": 1})
    cancelled = await engine.manager.cancel(job.id)
    assert (cancelled.status, cancelled.state, cancelled.error) == ("failed", "cancelled", "Job was cancelled")
    await engine.worker(double)
    other = await engine.manager.create("double", {"count": 2})
    await engine.ended(other.id)
    assert (await engine.manager.get(job.id)).state is State.CANCELLED


async def test_a_running_job_stops_when_it_is_cancelled(engine: Engine) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    @job_type("endless")
    async def endless(ctx: JobContext[Count]) -> int:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return 0

    await engine.worker(endless)
    job = await engine.manager.create("endless", {"count": 1})
    await asyncio.wait_for(started.wait(), 10)
    await engine.manager.cancel(job.id)
    assert (await engine.ended(job.id)).state is State.CANCELLED
    assert stopped.is_set()


async def test_a_job_past_its_deadline_fails(engine: Engine) -> None:
    @job_type("endless", timeout_seconds=1.0)
    async def endless(ctx: JobContext[Count]) -> int:
        await asyncio.Event().wait()
        return 0

    await engine.worker(endless)
    job = await engine.manager.create("endless", {"count": 1})
    ended = await engine.ended(job.id)
    assert ended.error_detail
    assert ended.error_detail.code == "deadline_exceeded"


async def test_what_the_worker_has_no_slot_for_waits_as_pending(engine: Engine) -> None:
    go_on, started = asyncio.Event(), list[str]()

    @job_type("busy")
    async def busy(ctx: JobContext[Count]) -> int:
        started.append(ctx.job_id)
        await go_on.wait()
        return 1

    await engine.worker(busy, concurrency=2)
    jobs = await asyncio.gather(*(engine.manager.create("busy", {"count": 1}) for _ in range(5)))
    await wait_until(lambda: len(started) == 2)
    states = [(await engine.manager.get(job.id)).status for job in jobs if job.id not in started]
    assert states == [Status.PENDING] * 3
    go_on.set()
    assert {(await engine.ended(job.id)).status for job in jobs} == {Status.COMPLETED}
    assert len(started) == 5


async def test_a_stopping_worker_hands_its_jobs_to_the_next(engine: Engine) -> None:
    runs: list[int] = []

    @job_type("handed")
    async def handed(ctx: JobContext[Count]) -> int:
        runs.append(ctx.run)
        if ctx.run == 1:
            await asyncio.Event().wait()
        return ctx.attempt

    first = await engine.worker(handed)
    job = await engine.manager.create("handed", {"count": 1})
    await wait_until(lambda: runs == [1])
    first.stop()
    await engine.worker(handed)
    ended = await engine.ended(job.id)
    assert runs == [1, 2]
    assert msgspec.json.decode(ended.result) == 1  # being handed back is no failed attempt
    assert ended.rescues == 0


async def test_a_delayed_job_runs_when_it_is_due_and_not_before(engine: Engine, redis: Any) -> None:
    await engine.worker(double)
    later = await engine.manager.create("double", {"count": 1}, Options(delay_seconds=3600))
    soon = await engine.manager.create("double", {"count": 1}, Options(delay_seconds=0.5))
    assert (soon.status, soon.state) == (Status.PENDING, State.SCHEDULED)
    ended = await engine.ended(soon.id)
    assert ended.started_at
    assert seconds_since(ended.created_at) - seconds_since(ended.started_at) >= 0.5
    assert (await engine.manager.get(later.id)).state is State.SCHEDULED
    assert (await engine.manager.cancel(later.id)).state is State.CANCELLED


async def test_one_idempotency_key_makes_one_job(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    made = await asyncio.gather(
        *(engine.manager.create_once("double", {"count": 1}, key="k") for _ in range(10)),
        *(engine.new_manager().create_once("double", {"count": 1}, key="k") for _ in range(10)),
    )
    assert len({job.id for job, _ in made}) == 1
    assert [key async for key in redis.scan_iter("job:*")] == [f"job:{made[0][0].id}".encode()]
    with pytest.raises(IdempotencyKeyReusedError):
        await engine.manager.create_once("double", {"count": 2}, key="k")
    other, replayed = await engine.manager.create_once("double", {"count": 2}, Options(owner="b"), key="k")
    assert not replayed
    assert other.id != made[0][0].id


async def test_all_of_a_batch_are_created_or_none(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    with pytest.raises(InvalidPayloadError):
        await engine.manager.create_all([("double", {"count": 1}, Options()), ("double", {}, Options())])
    with pytest.raises(QueueFullError):
        await engine.new_manager(limit=1).create_all([("double", {"count": 1}, Options())] * 2)
    assert [key async for key in redis.scan_iter("job:*")] == []
    assert len(await engine.manager.create_all([("double", {"count": 1}, Options())] * 3)) == 3


async def test_an_owner_has_no_more_jobs_running_than_allowed(engine: Engine) -> None:
    running: list[int] = []
    peak: list[int] = []

    @job_type("limited")
    async def limited(ctx: JobContext[Count]) -> int:
        running.append(1)
        peak.append(len(running))
        await asyncio.sleep(0)
        ctx.report(0.5)
        await ctx.save_item(0, {})
        running.pop()
        return 1

    await engine.worker(limited)
    options = Options(owner="a", running_limit=2)
    jobs = await asyncio.gather(*(engine.manager.create("limited", {"count": 1}, options) for _ in range(12)))
    assert {(await engine.ended(job.id)).status for job in jobs} == {Status.COMPLETED}
    assert max(peak) == 2


async def test_an_owner_with_too_many_open_jobs_is_refused(engine: Engine, redis: Any) -> None:
    engine.registry.add(double)
    manager = engine.new_manager(owner_limit=1)
    job = await manager.create("double", {"count": 1}, Options(owner="a", running_limit=1))
    with pytest.raises(TooManyActiveJobsError):
        await manager.create("double", {"count": 1}, Options(owner="a", running_limit=1))
    await manager.create("double", {"count": 1}, Options(owner="b", running_limit=1))
    await manager.cancel(job.id)
    await manager.create("double", {"count": 1}, Options(owner="a", running_limit=1))


async def test_a_cancelled_job_in_an_owners_list_does_not_stop_the_next(engine: Engine) -> None:
    engine.registry.add(double)
    options = Options(owner="a", running_limit=1)
    jobs = [await engine.manager.create("double", {"count": 1}, options) for _ in range(3)]
    await engine.manager.cancel(jobs[0].id)
    await engine.manager.cancel(jobs[1].id)
    await engine.worker(double)
    assert (await engine.ended(jobs[2].id)).status is Status.COMPLETED


async def test_higher_priorities_go_first_and_lower_ones_are_not_starved(engine: Engine) -> None:
    order: list[str] = []

    @job_type("ordered")
    async def ordered(ctx: JobContext[Count]) -> int:
        order.append(ctx.job_id)
        return 1

    engine.registry.add(ordered)
    made: dict[str, Priority] = {}
    for priority in (Priority.LOW, Priority.NORMAL, Priority.HIGH):
        for _ in range(30):
            made[(await engine.manager.create("ordered", {"count": 1}, Options(priority=priority))).id] = priority
    await engine.worker(ordered, concurrency=1)
    await wait_until(lambda: len(order) == 90)
    first = [made[job_id] for job_id in order[:42]]
    assert first.count(Priority.HIGH) > first.count(Priority.NORMAL) > first.count(Priority.LOW) >= 1


async def test_a_paused_queue_hands_out_nothing_until_it_is_resumed(engine: Engine) -> None:
    await engine.manager.pause()
    worker = await engine.worker(double)
    job = await engine.manager.create("double", {"count": 1})
    looked = worker.last_look
    await wait_until(lambda: worker.last_look > looked)
    assert (await engine.manager.get(job.id)).status is Status.PENDING
    await engine.manager.resume()
    assert (await engine.ended(job.id)).status is Status.COMPLETED


async def test_a_retry_by_the_user_goes_on_after_the_finished_items(engine: Engine) -> None:
    broken = [True]
    written: list[int] = []

    @job_type("resumable")
    async def resumable(ctx: JobContext[Count]) -> list[Any]:
        for index in range(3):
            if index in ctx.items:
                continue
            if index == 2 and broken:
                raise PermanentError("no more", code="output_invalid")
            written.append(index)
            await ctx.save_item(index, {"index": index})
        return [ctx.items[index] for index in range(3)]

    await engine.worker(resumable)
    job = await engine.manager.create("resumable", {"count": 3})
    await engine.ended(job.id)
    assert len(json.loads(await engine.manager.read(job.id))["items"]) == 2
    broken.clear()
    again = await engine.manager.retry(job.id)
    ended = await engine.ended(again.id)
    assert (ended.status, ended.retry_of) == (Status.COMPLETED, job.id)
    assert written == [0, 1, 2]
    with pytest.raises(NotRetryableError):
        await engine.manager.retry(again.id)


async def test_two_retries_at_once_make_one_job(engine: Engine) -> None:
    engine.registry.add(double)
    job = await engine.manager.create("double", {"count": 1})
    await engine.manager.cancel(job.id)
    made = await asyncio.gather(*(engine.new_manager().retry(job.id) for _ in range(8)))
    assert len({again.id for again in made}) == 1


async def test_a_job_whose_handler_ignores_its_deadline_ends_all_the_same(engine: Engine) -> None:
    release = asyncio.Event()

    @job_type("stubborn", timeout_seconds=1.0)
    async def stubborn(ctx: JobContext[Count]) -> int:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
        return 1

    await engine.worker(stubborn)
    job = await engine.manager.create("stubborn", {"count": 1})
    ended = await engine.ended(job.id)
    assert ended.error_detail
    assert ended.error_detail.code == "deadline_exceeded"
    release.set()


async def test_a_step_is_done_once_over_all_attempts(engine: Engine) -> None:
    written: list[str] = []

    @job_type("stepped")
    async def stepped(ctx: JobContext[Count]) -> list[str]:
        async def story() -> str:
            written.append("story")
            return "once upon a time"

        told = await ctx.step("story", story, str)
        if ctx.attempt == 1:
            raise TransientError("the database is away", code="storage_unavailable")
        return [told]

    await engine.worker(stepped)
    ended = await engine.ended((await engine.manager.create("stepped", {"count": 1})).id)
    assert msgspec.json.decode(ended.result) == ["once upon a time"]
    assert written == ["story"]


async def test_a_handler_that_blocks_the_loop_keeps_its_lease(engine: Engine, loaded: Loaded) -> None:
    runs: list[int] = []

    @job_type("blocking")
    async def blocking(ctx: JobContext[Count]) -> int:
        runs.append(ctx.run)
        time.sleep(3.0)  # noqa: ASYNC251 (a handler that does this is what the test is about)
        return ctx.run

    engine.registry.add(blocking)
    other = await loaded.run("-m", "tests.redis.idle_worker", engine.url)
    await other.stdout.readline()
    await engine.worker(blocking, lease_seconds=1.0)
    ended = await engine.ended((await engine.manager.create("blocking", {"count": 1}, Options())).id)
    other.send_signal(signal.SIGTERM)
    await other.communicate()
    assert (ended.rescues, runs) == (0, [1])


async def test_a_piece_of_a_handler_that_outlives_it_writes_nothing_and_harms_nobody(engine: Engine) -> None:
    """`gather` does not cancel the others when one fails; what they save later must neither be kept nor spin."""
    failed = asyncio.Event()
    late: list[BaseException] = []

    @job_type("torn")
    async def torn(ctx: JobContext[Count]) -> int:
        async def fail() -> None:
            raise ValueError("boom")

        async def save_later() -> None:
            await failed.wait()
            try:
                await ctx.save_item(0, {})
            except BaseException as error:
                late.append(error)
                raise

        await asyncio.gather(save_later(), fail())
        return 1

    await engine.worker(torn, double)
    job = await engine.manager.create("torn", {"count": 1})
    assert (await engine.ended(job.id)).status is Status.FAILED
    failed.set()
    await wait_until(lambda: late)
    assert isinstance(late[0], LeaseLostError)
    other = await engine.manager.create("double", {"count": 1})
    assert (await engine.ended(other.id)).status is Status.COMPLETED


async def test_a_cancel_that_the_last_item_brings_back_ends_the_job_at_once(engine: Engine) -> None:
    """It must reach the handler, which awaits nothing after that item, and not the settling of its end."""

    @job_type("last")
    async def last(ctx: JobContext[Count]) -> int:
        await engine.manager.cancel(ctx.job_id)
        await ctx.save_item(0, {})
        return 1

    await engine.worker(last, lease_seconds=60.0)
    job = await engine.manager.create("last", {"count": 1})
    assert (await engine.ended(job.id, seconds=10.0)).state is State.CANCELLED


async def test_a_job_of_a_type_that_is_known_no_more_ends_by_its_deadline(engine: Engine, redis: Any) -> None:
    @job_type("gone")
    async def gone(ctx: JobContext[Count]) -> int:
        raise TransientError("not yet", code="provider_unavailable", retry_after_seconds=0.0)

    engine.registry.add(gone)
    job = await engine.manager.create("gone", {"count": 1}, Options(deadline_seconds=1))
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    (claim,) = (await queue.claim("before", 1)).claims
    begun = await store.begin(claim, "before")
    assert isinstance(begun, Begun)
    begun.job.move(State.RUNNING)
    begun.job.move(State.RETRYING)
    begun.job.started_at = "2020-01-01T00:00:00.000Z"
    begun.job.touch()
    await store.write(begun.job, lease=begun.lease, new_lease=waiting_lease(1))
    await queue.requeue("before", claim)
    del engine.registry._types["gone"]
    await engine.worker(double)
    ended = await engine.ended(job.id)
    assert ended.error_detail
    assert ended.error_detail.code == "deadline_exceeded"
    await pipeline.close()
