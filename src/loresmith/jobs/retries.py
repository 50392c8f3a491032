"""Another try of a job whose attempt did not end it: whether, after what pause, and how the document says so."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from loresmith.jobs.backoff import Pacing
from loresmith.jobs.claim import Begun
from loresmith.jobs.observer import Observer
from loresmith.jobs.outcomes import Failed, Unavailable, stopped_at_deadline
from loresmith.jobs.types import Job, Waiting

if TYPE_CHECKING:
    from loresmith.jobs.run import Run

WAITS: Final = "waits"
"""The cause under which `retries` of a document counts the waits, which cost no attempt."""


@dataclass(frozen=True, slots=True)
class Found:
    """State of a job at the begin of a run, by which the run knows whether it did something itself."""

    saved: int
    """Finished items and steps."""
    wasted: int
    """Tokens that nothing came of."""
    waited: Waiting | None
    """The outage that the job waited for until this run."""

    @classmethod
    def take(cls, begun: Begun) -> "Found":
        """Return the state that a run found; what was in flight then is lost, and the job waits no more."""
        job = begun.job
        if job.usage is not None:
            job.usage.lose_in_flight()
        waited = None if isinstance(job.waiting, msgspec.UnsetType) else job.waiting
        job.waiting = msgspec.UNSET
        return cls(len(begun.checkpoint), _wasted(job), waited)


def next_try(
    run: "Run", outcome: Failed | Unavailable, *, pacing: Pacing, schedule: Sequence[float], observer: Observer
) -> tuple[float | None, Failed]:
    """Return the pause before the next try, None where there is none, and the failure that this try comes to.

    A run that lost something it had paid for has begun, whatever its error says: it costs an attempt.
    """
    if isinstance(outcome, Unavailable):
        if _wasted(run.job) <= run.found.wasted:
            pause = _wait(run, outcome, pacing)
            if pause is None:
                return None, stopped_at_deadline(Waiting(outcome.code, outcome.reason))
            observer.waits(run.job, outcome.code)
            return pause, outcome.failed
        outcome = outcome.failed
    if (pause := _try_again(run, outcome, pacing, schedule)) is not None:
        observer.tried_again(run.job, outcome.code)
    return pause, outcome


def _wait(run: "Run", outcome: Unavailable, pacing: Pacing) -> float | None:
    """Note that the job waits for what is away, and return the pause; None when its deadline has passed."""
    before, saved = run.found.waited, len(run.checkpoint) > run.found.saved
    goes_on = before is not None and before.code == outcome.code and not saved
    times = before.times + 1 if before is not None and goes_on else 1
    left = run.deadline - time.monotonic()
    pause = pacing.wait(times, left_seconds=left, retry_after_seconds=outcome.retry_after_seconds)
    if pause is not None:
        _count(run.job, WAITS)
        run.job.waiting = Waiting(outcome.code, outcome.reason, times)
        run.job.message = outcome.message
    return pause


def _try_again(run: "Run", outcome: Failed, pacing: Pacing, schedule: Sequence[float]) -> float | None:
    """Count a failed attempt by its cause, and return the pause before the next; None when it was the last."""
    job = run.job
    if not outcome.retryable:
        return None
    failures = _failures_by(job, outcome.code) + 1
    if failures >= job.max_attempts:
        return None
    left = run.deadline - time.monotonic()
    pause = pacing.retry(
        failures, left_seconds=left, retry_after_seconds=outcome.retry_after_seconds, schedule=schedule
    )
    if pause is not None:
        uncounted = _uncounted(job)
        _count(job, outcome.code)
        job.attempt = 1 + uncounted + _most(job)
        job.message = f"{outcome.message}; trying again..."
    return pause


def _failures_by(job: Job, code: str) -> int:
    """Return how many attempts failed with this code, those included that a worker of an older release counted."""
    return _counts(job).get(code, 0) + _uncounted(job)


def _count(job: Job, cause: str) -> None:
    """Count one more retry by this cause."""
    counts = _counts(job)
    job.retries = {**counts, cause: counts.get(cause, 0) + 1}


def _counts(job: Job) -> dict[str, int]:
    return {} if isinstance(job.retries, msgspec.UnsetType) else job.retries


def _most(job: Job) -> int:
    return max((number for cause, number in _counts(job).items() if cause != WAITS), default=0)


def _uncounted(job: Job) -> int:
    """Return the failures that only `attempt` knows of: an older release counts all causes together."""
    return max(0, max(1, job.attempt) - 1 - _most(job))


def _wasted(job: Job) -> int:
    wasted = job.usage.wasted if job.usage is not None else None
    return 0 if wasted is None else wasted.input_tokens + wasted.output_tokens
