"""The estimators that are compared: ours, and what others show."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.progress.replay import Judge, Judged, Said
from loresmith.jobs.pace import Pace
from loresmith.jobs.profile import FEWEST_JOBS, Profile
from loresmith.jobs.progress import Estimator
from loresmith.jobs.residuals import Residuals
from loresmith.jobs.trace import TRACE_VERSION, Course, Trace

MOST_TRACES = 100


@dataclass
class _Clock:
    expected: float

    def reached(self, part: int, mark: int, seconds: float) -> None:
        """Go by the clock alone."""

    def at(self, seconds: float) -> Said:
        """Step once every sixtieth of the expected time, to 59 steps at the most."""
        return Said(min(59, int(seconds / (self.expected / 60))) / 59)

    def ended(self, seconds: float) -> None:
        """Learn nothing."""


@dataclass
class Fixed:
    """The simulation by the clock that has one duration for every job: 30 s."""

    expected: float = 30.0
    name: str = "fixed 30 s"

    def begin(self) -> Judged:
        """Follow a job."""
        return _Clock(self.expected)


@dataclass
class _Learned:
    """Ours, as a worker runs it."""

    judge: "Learned"
    inner: Estimator | None
    course: Course = field(default_factory=Course)
    parts: dict[int, float] = field(default_factory=dict[int, float])

    def reached(self, part: int, mark: int, seconds: float) -> None:
        """Take in a checkpoint."""
        if self.course.note(part, mark, seconds) and self.inner is not None:
            self.inner.reached(part, mark, seconds)

    def at(self, seconds: float) -> Said:
        """Estimate; while there is no profile, say nothing."""
        if self.inner is None:
            return Said(0.0)
        found = self.inner.at(seconds)
        return Said(found.fraction, (found.seconds, found.low, found.high))

    def ended(self, seconds: float) -> None:
        """Keep the trace."""
        residuals = self.inner.stages.residuals(seconds) if self.inner is not None else []
        self.judge.keep(Trace(TRACE_VERSION, 0, int(seconds * 1000), residuals, self.course.flat))


@dataclass
class Learned:
    """The estimator of the product, with profile, speed and residuals as a worker keeps them."""

    pace: Pace
    name: str = "profile"
    traces: list[Trace] = field(default_factory=list[Trace])

    def begin(self) -> Judged:
        """Follow a job."""
        if len(self.traces) < FEWEST_JOBS:
            return _Learned(self, None)
        self._profile = Profile(self.traces)
        inner = Estimator(self._profile, Residuals(self.traces), pace=self.pace.factor())
        return _Learned(self, inner)

    def keep(self, trace: Trace) -> None:
        """Note a job that ended, newest first."""
        if len(self.traces) >= FEWEST_JOBS:
            self.pace.note(math.log(trace.seconds / self._profile.seconds))
        self.traces.insert(0, trace)
        del self.traces[MOST_TRACES:]


def by_name() -> dict[str, Callable[[], Judge]]:
    """Return how to make each estimator for one kind."""
    return {"fixed 30 s": Fixed, "profile": lambda: Learned(Pace())}
