"""Every error the engine raises, and what each one means to a caller.

    JobsError
    ├── SubmitError                 a submission was refused; no job exists
    │   ├── UnknownJobTypeError     no job type of that name is registered
    │   ├── InvalidPayloadError     the payload does not fit the job type; names each field
    │   ├── QueueFullError          too many jobs wait already; try again later
    │   ├── TooManyActiveJobsError  this owner has too many open jobs; try again later
    │   └── IdempotencyKeyReusedError   the key stands for another request
    ├── NotRetryableError           only a failed job can be retried
    ├── NotEndedError               only a job that has ended can be deleted
    ├── InvalidCursorError          the cursor of a listing is none that was handed out
    ├── JobNotFoundError            no such job, or it has expired
    ├── StoreUnavailableError       Redis is away; try again later
    │   └── NotReplicatedError      too few replicas have a submission in time; its job exists
    └── JobError                    raised by a handler to end its attempt
        ├── TransientError          worth another attempt
        └── PermanentError          another attempt would end the same way

`LeaseLostError` stands apart: it tells a handler that another worker has taken its job over. It derives from
`BaseException`, as `asyncio.CancelledError` does, so that an `except Exception` in a handler does not swallow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_PROBLEMS: Final = 20
"""Problems of one submission that are named."""
MOST_SHOWN: Final = 200
"""Characters that are shown of a text that a caller wrote."""


def shown(text: str) -> str:
    """Return a text as errors show it: its beginning, where it is long."""
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


class JobsError(Exception):
    """Base of all errors of the engine."""


class SubmitError(JobsError):
    """A submission was refused and no job exists."""


class UnknownJobTypeError(SubmitError):
    """No job type of this name is registered; `known` lists those that are."""

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"unknown job type {name!r}, expected one of: {', '.join(self.known)}")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: a JSON pointer (RFC 6901), a stable code, and a sentence."""

    pointer: str
    code: str
    detail: str


class InvalidPayloadError(SubmitError):
    """The payload does not fit the job type; `problems` names the fields that are wrong, 20 at most."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        super().__init__("; ".join(f"{p.pointer}: {p.detail}" for p in self.problems))


class QueueFullError(SubmitError):
    """The queue holds as many jobs as it may; try again after `retry_after_seconds`."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"the queue is full, try again in {retry_after_seconds} s")


class TooManyActiveJobsError(SubmitError):
    """This owner has as many open jobs as allowed; try again after `retry_after_seconds`."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"too many active jobs, try again in {retry_after_seconds} s")


class IdempotencyKeyReusedError(SubmitError):
    """The owner used this idempotency key for another request."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"idempotency key {shown(key)!r} was used for another request")


class NotRetryableError(JobsError):
    """Only a job that failed can be retried."""

    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(f"job {job_id!r} is {status}, expected failed")


class NotEndedError(JobsError):
    """Only a job that has ended can be deleted."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id!r} has not ended: cancel it first")


class InvalidCursorError(JobsError):
    """The cursor of a listing is none that was handed out."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"cursor {cursor[:40]!r} is unknown, expected the next_cursor of an earlier page")


class JobNotFoundError(JobsError):
    """No job has this id: it never existed, was deleted, or expired 24 h after it ended."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(f"no job {job_id!r}: it never existed or has expired")


class StoreUnavailableError(JobsError):
    """Redis cannot be reached or cannot take writes; try again after `retry_after_seconds`."""

    def __init__(self, *, retry_after_seconds: int = 2) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"the job store cannot be reached, try again in {retry_after_seconds} s")


class NotReplicatedError(StoreUnavailableError):
    """Too few replicas of Redis confirmed a submission in time: its job exists, and a failover may lose it.

    Submit again with the same idempotency key, not without one.
    """

    def __str__(self) -> str:
        again = f"submit again with the same idempotency key in {self.retry_after_seconds} s"
        return f"the job was written, but too few replicas of the job store confirmed it in time: {again}"


class JobError(JobsError):
    """Raised by a handler: ends the attempt with `message`, shown to the user as the job's `error`."""

    retryable = False

    def __init__(self, message: str, *, code: str = "internal", retry_after_seconds: float | None = None) -> None:
        self.message = message
        self.code = code
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class TransientError(JobError):
    """Another attempt may succeed: tried again with backoff, not before `retry_after_seconds`.

    With `began=False` nothing was begun because what the job needs is away: the job waits for it until its deadline,
    with pauses of 1 s to 30 s, and no attempt counts.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        code: str = "internal",
        retry_after_seconds: float | None = None,
        began: bool = True,
    ) -> None:
        self.began = began
        super().__init__(message, code=code, retry_after_seconds=retry_after_seconds)


class PermanentError(JobError):
    """Another attempt would end the same way: the job fails at once."""


class LeaseLostError(BaseException):
    """Another worker holds this job now; nothing of this attempt is written any more."""
