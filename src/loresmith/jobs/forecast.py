"""What one run of a job says of its progress and its end: checkpoints in, fraction and ETA out."""

import time
from typing import Final

from loresmith.jobs import progress
from loresmith.jobs.profiles import Past
from loresmith.jobs.progress import Estimate, Estimator
from loresmith.jobs.trace import TRACE_VERSION, Course, Trace
from loresmith.jobs.types import Eta, Job

SLOW: Final = "(still working, slower than usual)"
_SILENT_SECONDS: Final = 15.0
_LATE_FACTOR: Final = 1.5
_DRIFT: Final = 0.1


class Forecast:
    """Of a run that was compared with past jobs, or, without those, goes by its steps or by the clock."""

    __slots__ = ("_began", "_course", "_done", "_estimator", "_expected_seconds", "_last", "_past", "_shown")

    def __init__(self, expected_seconds: float, *, began: float, done: float, past: Past | None = None) -> None:
        self._expected_seconds = expected_seconds
        self._began = self._last = began
        self._done = done
        self._past = past
        self._course = Course()
        self._shown: tuple[float, float] | None = None
        self._estimator: Estimator | None = None
        if past is not None and past.profile is not None and past.residuals is not None:
            self._estimator = Estimator(past.profile, past.residuals, pace=past.pace, done=done)

    @property
    def knows(self) -> bool:
        """Whether the fraction is estimated; else it is what the handler says."""
        return self._estimator is not None

    @property
    def course(self) -> list[int]:
        """The checkpoints so far, flat: part, mark, ms since the one before."""
        return self._course.flat

    def reached(self, part: int, mark: int) -> None:
        """Take in a checkpoint."""
        now = time.monotonic()
        if self._course.note(part, mark, now - self._began):
            self._last = now
            if self._estimator is not None:
                self._estimator.reached(part, mark, now - self._began)

    def estimate(self, fraction: float, now: float, *, by_clock: bool) -> Estimate:
        """Return the estimate of this moment; `fraction` is the one shown so far."""
        elapsed = now - self._began
        if self._estimator is not None:
            return self._estimator.at(elapsed)
        if by_clock:
            late = elapsed > max(_LATE_FACTOR * self._expected_seconds, self._expected_seconds + _SILENT_SECONDS)
        else:
            late = now - self._last > _SILENT_SECONDS
        found = progress.plain(elapsed, 0.0 if by_clock else fraction, self._expected_seconds, done=self._done)
        return Estimate(fraction, found.seconds, found.low, found.high, late)

    def show(self, job: Job, estimate: Estimate, now: float) -> bool:
        """Put the ETA and, where it is late, that into the document; whether clients would count on wrongly without.

        They count down by themselves: an ETA is told again when that would be off by a tenth.
        """
        job.eta = Eta(round(estimate.seconds, 1), round(estimate.low, 1), round(estimate.high, 1))
        told = self._shown
        if told is not None and abs(told[0] - (now - told[1]) - estimate.seconds) <= max(1.0, _DRIFT * told[0]):
            return False
        self._shown = (estimate.seconds, now)
        return True

    def trace(self) -> tuple[Past, Trace] | None:
        """Return what is to be kept of a job that has completed, None when it was not compared with any."""
        if self._past is None or not self._course.flat:
            return None
        total_ms = int((time.monotonic() - self._began) * 1000)
        residuals = self._estimator.stages.residuals(total_ms / 1000) if self._estimator is not None else []
        return self._past, Trace(TRACE_VERSION, int(time.time() * 1000), total_ms, residuals, self._course.flat)
