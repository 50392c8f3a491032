"""Tells metrics and traces what becomes of jobs."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import msgspec

from loresmith.jobs.submission import NewJob
from loresmith.jobs.types import Job, JobInput, ms_of
from loresmith.telemetry.metrics import Metrics
from loresmith.telemetry.tracing import Span, Tracing

_SYSTEM: Final = "loresmith"
_NOTHING: Final = nullcontext()


class Observer:
    """Nothing of it waits, and without `tracing` a job costs a few microseconds of it."""

    def __init__(self, queue: str = "default", metrics: Metrics | None = None, tracing: Tracing | None = None) -> None:
        self._queue = queue
        self._tracing = tracing
        self.metrics = metrics or Metrics()
        self._jobs = self.metrics.jobs

    def sending(self, new: Sequence[NewJob]) -> AbstractContextManager[Span | None]:
        """Return what is entered while jobs are submitted; they carry the context of that to who runs them."""
        if self._tracing is None or not new:
            return _NOTHING
        attributes = self._attributes("send", new[0].job) if len(new) == 1 else self._common("send", len(new))
        return _Sending(self._tracing.span(f"send {self._queue}", "producer", attributes), new)

    def processing(self, job: Job, submitted: JobInput) -> AbstractContextManager[Span | None]:
        """Return what is entered while a job runs."""
        if self._tracing is None:
            return _NOTHING
        attributes: dict[str, str | int] = {
            **self._attributes("process", job),
            "loresmith.job.attempt": max(1, job.attempt),
        }
        if submitted.request_id:
            attributes["loresmith.request.id"] = submitted.request_id
        return self._tracing.span(f"process {self._queue}", "consumer", attributes, parent=submitted.traceparent)

    def submitted(self, new: Sequence[NewJob]) -> None:
        """Count jobs that were created."""
        for one in new:
            self._jobs.submitted(one.job.type)

    def started(self, job: Job) -> None:
        """Count the first start of a job."""
        if job.started_at is not None:
            due = job.run_at or job.created_at
            self._jobs.started(job.type, waited_seconds=max(0.0, (ms_of(job.started_at) - ms_of(due)) / 1000))

    def ended(self, job: Job) -> None:
        """Count the end that the document of a job tells of."""
        seconds = None
        if job.started_at is not None and not isinstance(job.completed_at, msgspec.UnsetType):
            seconds = max(0.0, (ms_of(job.completed_at) - ms_of(job.started_at)) / 1000)
        self._jobs.ended(job.type, job.status, code_of(job), run_seconds=seconds)

    def tried_again(self, job: Job, code: str) -> None:
        """Count an attempt that failed for now."""
        self._jobs.tried_again(job.type, code)

    def waits(self, job: Job, code: str) -> None:
        """Count a wait for what is away."""
        self._jobs.waits(job.type, code)

    def rescued(self) -> None:
        """Count a job that was taken over from a worker that fell silent."""
        self._jobs.rescued()

    def write_refused(self) -> None:
        """Count a write that the fence refused."""
        self._jobs.write_refused()

    def _attributes(self, operation: str, job: Job) -> dict[str, str | int]:
        own = {"messaging.message.id": job.id, "loresmith.job.type": job.type}
        return {**self._common(operation, 0), **own}

    def _common(self, operation: str, count: int) -> dict[str, str | int]:
        batch: Mapping[str, str | int] = {"messaging.batch.message_count": count} if count else {}
        return {
            "messaging.system": _SYSTEM,
            "messaging.destination.name": self._queue,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            **batch,
        }


class _Sending(AbstractContextManager[Span]):
    def __init__(self, span: AbstractContextManager[Span], new: Sequence[NewJob]) -> None:
        self._span, self._new = span, new

    def __enter__(self) -> Span:
        span = self._span.__enter__()
        for one in self._new:
            one.submitted.traceparent = span.traceparent
        return span

    def __exit__(self, *error: object) -> bool | None:
        return self._span.__exit__(*error)  # pyright: ignore[reportArgumentType]


def facts_of(job: Job, submitted: JobInput) -> dict[str, str | int]:
    """Return what every log line about the run of a job says."""
    facts: dict[str, str | int] = {"job_id": job.id, "type": job.type, "attempt": job.attempt, "owner": job.owner}
    return {**facts, "request_id": submitted.request_id} if submitted.request_id else facts


def code_of(job: Job) -> str:
    """Return why a job failed, 'ok' for one that did not."""
    return "ok" if isinstance(job.error_detail, msgspec.UnsetType) else job.error_detail.code
