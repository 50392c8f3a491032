"""One claimed entry to one outcome: begin, run the handler, settle."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec
import structlog
from pydantic import BaseModel

from loresmith.jobs import progress
from loresmith.jobs.away import until_back
from loresmith.jobs.backoff import DEFAULT_PACING, Pacing
from loresmith.jobs.claim import Begun, Claim, Dropped, Reason
from loresmith.jobs.context import JobContext
from loresmith.jobs.errors import InvalidPayloadError, JobError, LeaseLostError, PermanentError
from loresmith.jobs.observer import Observer, facts_of
from loresmith.jobs.outcomes import (
    LARGEST_RESULT_BYTES,
    Cancelled,
    Classify,
    Completed,
    Failed,
    HandedBack,
    Lost,
    Outcome,
    Unavailable,
    deadline_exceeded,
    end_document,
    outcome_of,
    stopped_at_deadline,
    too_large,
)
from loresmith.jobs.profiles import Profiles
from loresmith.jobs.queue import Queue
from loresmith.jobs.registry import JobRegistry, JobType
from loresmith.jobs.retries import next_try
from loresmith.jobs.run import Run, Stop
from loresmith.jobs.store import END, Store, Written, waiting_lease
from loresmith.jobs.types import LIFETIME_SECONDS, State, Waiting, seconds_since, timestamp
from loresmith.telemetry.content import Content, frames_of
from loresmith.telemetry.subject import set_subject
from loresmith.telemetry.tracing import Span

log = structlog.get_logger(__name__)

_UNKNOWN_TYPE_DELAY_SECONDS: Final = 5.0


class Executor:
    """Runs claimed jobs. `runs` are those under way, by job id."""

    def __init__(
        self,
        *,
        store: Store,
        queue: Queue,
        registry: JobRegistry,
        worker: str,
        resources: Mapping[type, object],
        classify: Classify,
        wake: Callable[[Run], None],
        lease_seconds: float,
        observer: Observer,
        profiles: Profiles | None = None,
        pacing: Pacing = DEFAULT_PACING,
    ) -> None:
        self._pacing = pacing
        self._store = store
        self._queue = queue
        self._registry = registry
        self._worker = worker
        self._resources = resources
        self._classify = classify
        self._wake = wake
        self._lease_seconds = lease_seconds
        self._observer = observer
        self._profiles = profiles
        self.runs: dict[str, Run] = {}

    async def execute(self, claim: Claim) -> None:
        """Take one claimed entry to its end; returns when the queue has been told."""
        begun = await self._begin(claim)
        if begun is None:
            return
        run = self._start(claim, begun)
        try:
            with self._observer.processing(run.job, run.submitted) as span:
                outcome = await self._outcome(run, begun)
                if span is not None:
                    _note(span, outcome)
                if not run.settling:  # else it was abandoned, and settled without its handler
                    await self._settle(run, outcome)
        except LeaseLostError:
            log.warning("lease lost", run=run.number)
        finally:
            run.task = None  # the task's context leads to the run: all of it would wait for the garbage collector
            if self.runs.get(claim.job_id) is run:
                del self.runs[claim.job_id]

    async def abandon(self, run: Run) -> None:
        """Settle a job whose handler was told to stop and does not; what the handler still does is not written."""
        if run.stopped is None or run.settling:
            return
        log.error("handler ignores that it was stopped", reason=run.stopped, **facts_of(run.job, run.submitted))
        try:
            await self._settle(run, _stopped(run.stopped, run.found.waited))
        except LeaseLostError:
            log.warning("lease lost", run=run.number, **facts_of(run.job, run.submitted))
        finally:
            if self.runs.get(run.job.id) is run:
                del self.runs[run.job.id]

    async def _begin(self, claim: Claim, gone: str = "") -> Begun | None:
        """Take the lease, or drop the entry where it is not to be run."""
        begun = await until_back(lambda: self._take(claim, gone))
        if isinstance(begun, Begun):
            return begun
        log.debug("entry dropped", job_id=claim.job_id, reason=begun.reason)
        held_through = await until_back(lambda: self._queue.drop(self._worker, claim, begun))
        return await self._begin(claim, held_through) if held_through else None

    async def _take(self, claim: Claim, gone: str) -> Begun | Dropped:
        if time.monotonic() - claim.claimed_at > self._lease_seconds / 2:
            return Dropped(Reason.STALE)  # it may be another worker's by now; whoever finds it idle rescues it
        return await self._store.begin(claim, self._worker, gone=gone)

    def _start(self, claim: Claim, begun: Begun) -> Run:
        job = begun.job
        known = job.type in self._registry
        expected = self._registry.get(job.type).expected_seconds if known else 30.0
        run = Run(
            self._store,
            claim,
            begun,
            expected_seconds=expected,
            wake=self._wake,
            profiles=self._profiles,
            refused=self._observer.write_refused,
        )
        set_subject(lambda: facts_of(run.job, run.submitted))
        run.task = asyncio.current_task()
        self.runs[job.id] = run
        return run

    async def _outcome(self, run: Run, begun: Begun) -> Outcome:
        if begun.cancel_asked:
            return Cancelled()
        if run.job.type not in self._registry:
            return _of_unknown_type(run)
        kind = self._registry.get(run.job.type)
        try:
            return await self._enter(run, kind, begun) or await self._handle(run, kind)
        except BaseException as error:
            return self._judge(run, error)

    def _judge(self, run: Run, error: BaseException) -> Outcome:
        """Say what an attempt that raised comes to."""
        while isinstance(error, BaseExceptionGroup):
            error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
        if run.stopped is not None:
            return _stopped(run.stopped, run.found.waited)
        match error:
            case LeaseLostError():
                return Lost()
            case JobError():
                return outcome_of(error)
            case asyncio.CancelledError():
                return Failed("internal", "The job stopped by itself")
            case Exception() if (known := self._classify(error)) is not None:
                return known
            case Exception():
                log_failure(error, facts_of(run.job, run.submitted))
                return Failed("internal", "Something went wrong while running this job")
            case _:
                raise error

    async def _enter(self, run: Run, kind: JobType, begun: Begun) -> Failed | None:
        """Make the document say that the job runs, or return why it must not."""
        job = run.job
        job.move(State.RUNNING)
        job.attempt = max(1, job.attempt)
        limit = begun.submitted.deadline_seconds or kind.timeout_seconds
        if job.started_at is None:
            job.started_at, left = timestamp(), limit
            self._observer.started(job)
        else:
            left = limit - seconds_since(job.started_at)
        run.deadline = time.monotonic() + left
        job.progress = max(job.progress, progress.STARTED)
        run.report(None, None)
        run.dirty = True
        if begun.taken_over:
            job.rescues += 1
            self._observer.rescued()
            if job.rescues >= kind.max_rescues:
                return Failed("worker_lost", "The workers running this job were lost, again and again")
            await until_back(run.write)  # before the handler: a job that kills its worker must be counted
        if left <= 0:
            return deadline_exceeded(limit, run.found.waited)
        self._wake(run)
        return None

    async def _handle(self, run: Run, kind: JobType) -> Outcome:
        context: JobContext[Any] = JobContext(run, _payload(run, kind), self._resources, kind.item)
        value = await kind.handler(context)
        result = kind.result.dump_json(value)
        if len(result) > LARGEST_RESULT_BYTES:
            return too_large("result", len(result))
        return Completed(result)

    async def _settle(self, run: Run, outcome: Outcome) -> None:
        run.settling = True
        if run.job.usage is not None:
            run.job.usage.lose_in_flight()  # of a handler that did not clear up
        if isinstance(outcome, Unavailable | Failed):
            schedule = self._registry.get(run.job.type).retry_seconds if run.job.type in self._registry else ()
            pause, outcome = next_try(run, outcome, pacing=self._pacing, schedule=schedule, observer=self._observer)
            if pause is not None:
                await self._hand_back(run, pause)
                return
        match outcome:
            case Lost():
                raise LeaseLostError
            case HandedBack():
                await self._hand_back(run, outcome.delay_seconds)
            case _:
                await self._end(run, outcome)

    async def _hand_back(self, run: Run, delay_seconds: float) -> None:
        run.job.eta = None  # nobody knows when it goes on
        if run.job.state is State.RUNNING:
            run.job.move(State.RETRYING)
        written = await run.end(new_lease=waiting_lease(run.number), unless_cancelled=True)
        if written is Written.REFUSED_FOR_CANCEL:
            await self._end(run, Cancelled())
        elif written is not Written.LOST:
            await until_back(lambda: self._queue.requeue(self._worker, run.claim, delay_seconds=delay_seconds))

    async def _end(self, run: Run, outcome: Completed | Failed | Cancelled) -> None:
        before = msgspec.structs.replace(run.job)
        end_document(run.job, outcome, lifetime_seconds=self._store.lifetime_seconds)
        cancellable = not isinstance(outcome, Cancelled)
        written = await run.end(new_lease=END, unless_cancelled=cancellable)
        if written is Written.REFUSED_FOR_CANCEL:
            run.job = before
            await self._end(run, Cancelled())
        elif written is not Written.LOST:
            self._observer.ended(run.job)
            if isinstance(outcome, Completed):
                run.record()  # in the pipeline that settles
            await until_back(lambda: self._queue.settle(run.claim))


def log_failure(error: Exception, facts: Mapping[str, str | int]) -> None:
    """Log a bug of a handler by its trace alone: its message may quote what a user or a model wrote."""
    log.error("handler failed", exception=frames_of(error), **facts)
    log.debug("handler failed, message", content=Content(f"{type(error).__name__}: {error}"), **facts)


def _note(span: Span, outcome: Outcome) -> None:
    span.note("loresmith.job.outcome", type(outcome).__name__.lower())
    if isinstance(outcome, Failed):
        span.fail(outcome.code)


def _of_unknown_type(run: Run) -> Outcome:
    """Leave the job to a worker that knows its type, until its own deadline or, without one, for a day."""
    started, limit = run.job.started_at, run.submitted.deadline_seconds or LIFETIME_SECONDS
    if started is not None and seconds_since(started) > limit:
        run.job.move(State.RUNNING)
        return deadline_exceeded(limit)
    run.job.message = f"Waiting for a worker that knows the job type {run.job.type!r}"
    log.warning("no such job type in this worker: is it of an older release?", job_id=run.job.id, type=run.job.type)
    return HandedBack(_UNKNOWN_TYPE_DELAY_SECONDS)


def _payload(run: Run, kind: JobType) -> BaseModel:
    try:
        return kind.validate_json(bytes(run.submitted.payload))
    except InvalidPayloadError as error:
        raise PermanentError(f"The payload no longer fits the job type: {error}") from None


def _stopped(reason: Stop, waited: Waiting | None) -> Outcome:
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()  # what is written now must not be cut short
    match reason:
        case Stop.CANCEL:
            return Cancelled()
        case Stop.DEADLINE:
            return stopped_at_deadline(waited)
        case Stop.DRAIN:
            return HandedBack()
        case Stop.LOST:
            return Lost()
