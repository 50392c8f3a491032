# Generated from async_job.py by scripts/gen_client.py: change that file, and run `make gen`.
"""A submitted job as an object; the same as `AsyncJobHandle`, method by method."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from datetime import datetime
from typing import Any, Generic, Protocol

from typing_extensions import TypeVar

from loresmith.client.calls import TokenScope
from loresmith.client.knowledge import Update
from loresmith.client.models import Eta, Job, JobToken, Status, WebhookLog
from loresmith.client.result_types import ResultReader

T = TypeVar("T", default=Any)


class JobSource(Protocol):
    """A client by the ids of jobs."""

    def get(self, job_id: str) -> Job: ...
    def wait(self, job_id: str, *, timeout: float | None = None) -> Job: ...
    def stream(self, job_id: str, *, timeout: float | None = None) -> Generator[Update]: ...
    def cancel(self, job_id: str) -> Job: ...
    def retry(self, job_id: str) -> Job: ...
    def delete(self, job_id: str) -> None: ...
    def create_token(self, job_id: str, *, scope: TokenScope = "read") -> JobToken: ...
    def webhooks(self, job_id: str) -> WebhookLog: ...


class JobHandle(Generic[T]):
    """A job, and what can be done with it.

    Its properties say how the job was at the last answer of the server, which `snapshot` has whole. `refresh`, `wait`,
    `result`, `stream` and `cancel` bring a newer one. The properties themselves ask nobody.
    """

    def __init__(self, client: JobSource, snapshot: Job, reader: ResultReader[T]) -> None:
        self._client = client
        self._reader = reader
        self.snapshot = snapshot

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.type} {self.state or self.status} {self.progress} %>"

    @property
    def id(self) -> str:
        """The id of the job."""
        return self.snapshot.id

    @property
    def type(self) -> str:
        """The name of its job type."""
        return self.snapshot.type

    @property
    def status(self) -> Status:
        """pending, processing, completed or failed."""
        return self.snapshot.status

    @property
    def state(self) -> str:
        """The finer state; an open set."""
        return self.snapshot.state

    @property
    def done(self) -> bool:
        """Whether the job has ended."""
        return self.snapshot.done

    @property
    def progress(self) -> int:
        """Progress in percent."""
        return self.snapshot.progress

    @property
    def message(self) -> str:
        """Its progress in words."""
        return self.snapshot.message

    @property
    def error(self) -> str | None:
        """The reason of a failure."""
        return self.snapshot.error

    @property
    def created_at(self) -> datetime:
        """The time of the submit."""
        return self.snapshot.created_at

    @property
    def eta(self) -> Eta | None:
        """The estimated time that is left."""
        return self.snapshot.eta

    @property
    def items(self) -> list[Any]:
        """The finished items; elements of the result type, if that is a list. Raises ResultTypeError."""
        return self._reader.read_items(self.id, self.snapshot.finished_items)

    def refresh(self) -> Job:
        """Return the job as it is now."""
        return self._take(self._client.get(self.id))

    def wait(self, *, timeout: float | None = None) -> Job:
        """Return the job once it has ended, completed or not. Raises WaitTimeoutError."""
        if not self.done:
            self._take(self._client.wait(self.id, timeout=timeout))
        return self.snapshot

    def result(self, *, timeout: float | None = None) -> T:
        """Return the result of the job once it has completed, as the type that was asked for.

        Raises WaitTimeoutError after `timeout` seconds, and the job goes on; JobFailedError for a job that failed or
        was cancelled; ResultTypeError, which has the raw result, for one that does not fit.
        """
        job = (self.wait(timeout=timeout)).raise_for_failure()
        return self._reader.read_result(job.id, job.result)

    def stream(self, *, timeout: float | None = None) -> Generator[Update]:
        """Yield what happens to the job until it has ended; each item is in the `new_items` of one update.

        Leaving the stream cancels nothing. An asynchronous one that is left early is closed with
        `contextlib.closing`. Raises WaitTimeoutError, ResultTypeError.
        """
        with contextlib.closing(self._client.stream(self.id, timeout=timeout)) as updates:
            for update in updates:
                self._take(update.job)
                yield Update(update.job, tuple(self._reader.read_items(self.id, update.new_items)))

    def cancel(self) -> Job:
        """Stop the job and return it: ended, or `cancelling`. One that has ended stays as it is."""
        return self._take(self._client.cancel(self.id))

    def retry(self) -> JobHandle[T]:
        """Return a new job that goes on where this failed one ended. Raises ConflictError if it has not failed."""
        return JobHandle(self._client, self._client.retry(self.id), self._reader)

    def delete(self) -> None:
        """Delete the job, which must have ended. Raises ConflictError if it has not."""
        self._client.delete(self.id)

    def create_token(self, *, scope: TokenScope = "read") -> JobToken:
        """Return a token for this one job, good for 15 minutes: for a browser, which must not have the API key."""
        return self._client.create_token(self.id, scope=scope)

    def webhooks(self) -> WebhookLog:
        """Return the receiver of the job's webhook, and each try to deliver it."""
        return self._client.webhooks(self.id)

    def _take(self, job: Job) -> Job:
        """Keep the newer of two answers: they may overtake each other."""
        if job.seq >= self.snapshot.seq:
            self.snapshot = job
        return self.snapshot
