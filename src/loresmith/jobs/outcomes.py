"""What one attempt at a job comes to, and how each outcome reads in the document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from loresmith.jobs import progress
from loresmith.jobs.types import ErrorDetail, Job, State, timestamp

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
class Cancelled:
    """A cancel was asked for and the handler has stopped."""


@dataclass(frozen=True, slots=True)
class HandedBack:
    """This worker stops or cannot run the job; another goes on with it."""

    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Lost:
    """Another worker holds the job now."""


Outcome = Completed | Failed | Cancelled | HandedBack | Lost
Classify = Callable[[Exception], Failed | None]


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
    job.completed_at = timestamp()
    job.expires_at = timestamp(lifetime_seconds)


def deadline_exceeded(limit_seconds: float) -> Failed:
    """Return the outcome of a job that ran out of time."""
    return Failed("deadline_exceeded", f"The job did not end within {limit_seconds:g} s")


def too_large(what: str, size: int) -> Failed:
    """Return the outcome of a job whose handler made more than the store takes."""
    most = f"{LARGEST_RESULT_BYTES // 1024} KB that a job may make"
    return Failed("output_invalid", f"The {what} of {size // 1024} KB is more than the {most}")
