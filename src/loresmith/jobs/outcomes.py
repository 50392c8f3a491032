"""What one attempt at a job comes to, and how each outcome reads in the document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from loresmith.jobs import progress
from loresmith.jobs.errors import JobError, TransientError
from loresmith.jobs.types import ErrorDetail, Job, State, Waiting, timestamp

COMPLETED_MESSAGE: Final = "Job completed successfully"
CANCELLED_ERROR: Final = "Job was cancelled"
LARGEST_RESULT_BYTES: Final = 1024 * 1024
"""Of one job; the same holds for all its finished items together."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The handler returned; its result as JSON."""

    result: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; `retryable` says whether another may succeed."""

    code: str
    message: str
    retryable: bool = False
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """What the job needs is away and nothing was begun: the job waits for it, which costs no attempt.

    `reason` says what is away, `message` is shown meanwhile.
    """

    code: str
    reason: str
    message: str
    retry_after_seconds: float | None = None

    @property
    def failed(self) -> Failed:
        """The same as the failure of an attempt that had begun something."""
        return Failed(self.code, sentence(self.reason), True, self.retry_after_seconds)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancel was asked for and the handler has stopped."""


@dataclass(frozen=True, slots=True)
class HandedBack:
    """This worker stops or cannot run the job; another goes on with it."""

    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lost:
    """Another worker holds the job now."""


Outcome = Completed | Failed | Unavailable | Cancelled | HandedBack | Lost
Classify = Callable[[Exception], Failed | Unavailable | None]


def outcome_of(error: JobError) -> Failed | Unavailable:
    """Return what an error that a handler raised comes to."""
    if isinstance(error, TransientError) and not error.began:
        return Unavailable(error.code, error.message, f"Waiting: {error.message}", error.retry_after_seconds)
    return Failed(error.code, error.message, error.retryable, error.retry_after_seconds)


def end_document(job: Job, outcome: Completed | Failed | Cancelled, *, lifetime_seconds: int) -> None:
    """Make a document say how its job ended."""
    match outcome:
        case Completed(result):
            job.move(State.COMPLETED)
            job.result = msgspec.Raw(result)
            job.progress, job.message = progress.COMPLETED, COMPLETED_MESSAGE
        case Failed(code, message, retryable, retry_after):
            job.move(State.FAILED)
            job.error = job.message = message
            job.error_detail = ErrorDetail(code, message, retryable, retry_after)
        case Cancelled():
            job.move(State.CANCELLED)
            job.error = job.message = CANCELLED_ERROR
            job.error_detail = ErrorDetail("cancelled", CANCELLED_ERROR, retryable=True)
            job.seq += 1  # the one under which readers showed it as cancelling
    job.eta = None
    job.waiting = msgspec.UNSET
    job.completed_at = timestamp()
    job.expires_at = timestamp(lifetime_seconds)


def deadline_exceeded(limit_seconds: float, waited: Waiting | None = None) -> Failed:
    """Return the outcome of a job that ran out of time, while it waited for something perhaps."""
    return _out_of_time(f"The job did not end within {limit_seconds:g} s", waited)


def stopped_at_deadline(waited: Waiting | None = None) -> Failed:
    """Return the outcome of a job whose handler was stopped at the deadline."""
    return _out_of_time("The job did not end by its deadline", waited)


def _out_of_time(message: str, waited: Waiting | None) -> Failed:
    """A job that only waited may succeed in another try."""
    if waited is None:
        return Failed("deadline_exceeded", message)
    return Failed("deadline_exceeded", f"{message}: {waited.reason}", retryable=True)


def sentence(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def too_large(what: str, size: int) -> Failed:
    """Return the outcome of a job whose handler made more than the store takes."""
    most = f"{LARGEST_RESULT_BYTES // 1024} KB that a job may make"
    return Failed("output_invalid", f"The {what} of {size // 1024} KB is more than the {most}")
