"""The estimators that are compared: ours, and what others show."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.progress.replay import Judge, Judged, Said
from loresmith.jobs.pace import Pace
from loresmith.jobs.profile import FEWEST_JOBS, Profile
from loresmith.jobs.profiles import MOST_TRACES
from loresmith.jobs.progress import Estimator, plain
from loresmith.jobs.residuals import Residuals
from loresmith.jobs.trace import TRACE_VERSION, Course, Trace

_AGAIN = 1000
"""Marks from here on are of fields that are written again."""


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
class _Steps:
    """The share of the fields that are done, as handlers report it, and what follows from it."""

    expected: float
    parts: int
    most: dict[int, int] = field(default_factory=dict[int, int])
    shares: dict[int, float] = field(default_factory=dict[int, float])

    def reached(self, part: int, mark: int, seconds: float) -> None:
        """Count the fields that are left; what is written again counts no more."""
        if mark < _AGAIN:
            most = self.most[part] = max(self.most.get(part, 1), mark)
            share = 1.0 if mark == 0 else min(0.99, 1 - (mark - 1) / most)
            self.shares[part] = max(share, self.shares.get(part, 0.0))

    def at(self, seconds: float) -> Said:
        """Say what the steps say."""
        found = plain(seconds, min(1.0, sum(self.shares.values()) / self.parts), self.expected)
        return Said(found.fraction, (found.seconds, found.low, found.high))

    def ended(self, seconds: float) -> None:
        """Learn nothing."""


@dataclass
class Plain:
    """What is shown while too few jobs are known."""

    expected: float
    parts: int
    name: str = "plain steps"

    def begin(self) -> Judged:
        """Follow a job."""
        return _Steps(self.expected, self.parts)


@dataclass
class _Learned:
    """Ours, as a worker runs it."""

    judge: "Learned"
    inner: Estimator | None
    plain: Judged
    course: Course = field(default_factory=Course)

    def reached(self, part: int, mark: int, seconds: float) -> None:
        """Take in a checkpoint."""
        if self.course.note(part, mark, seconds):
            (self.inner or self.plain).reached(part, mark, seconds)

    def at(self, seconds: float) -> Said:
        """Estimate; by plain steps while there is no profile."""
        if self.inner is None:
            return self.plain.at(seconds)
        found = self.inner.at(seconds)
        return Said(found.fraction, (found.seconds, found.low, found.high))

    def ended(self, seconds: float) -> None:
        """Keep the trace."""
        residuals = self.inner.stages.residuals(seconds) if self.inner is not None else []
        self.judge.keep(Trace(TRACE_VERSION, 0, int(seconds * 1000), residuals, self.course.flat))


@dataclass
class Learned:
    """The estimator of the product, with profile, speed and residuals as a worker keeps them."""

    cold: Plain
    pace: Pace
    name: str = "profile"
    traces: list[Trace] = field(default_factory=list[Trace])
    _profile: Profile | None = None

    def begin(self) -> Judged:
        """Follow a job."""
        if len(self.traces) < FEWEST_JOBS:
            return _Learned(self, None, self.cold.begin())
        self._profile = Profile(self.traces)
        inner = Estimator(self._profile, Residuals(self.traces), pace=self.pace.factor())
        return _Learned(self, inner, self.cold.begin())

    def keep(self, trace: Trace) -> None:
        """Note a job that ended, newest first."""
        if self._profile is not None:
            self.pace.note(math.log(trace.seconds / self._profile.seconds))
        self.traces.insert(0, trace)
        del self.traces[MOST_TRACES:]


_MAKERS: dict[str, Callable[[str], Judge]] = {
    "fixed 30 s": lambda _: Fixed(),
    "time of the type": lambda kind: Fixed(_expected(kind), "time of the type"),
    "plain steps": lambda kind: Plain(_expected(kind), _parts(kind)),
    "profile": lambda kind: Learned(Plain(_expected(kind), _parts(kind)), Pace()),
}


def names() -> list[str]:
    """Return the names of the estimators."""
    return list(_MAKERS)


def make(name: str, kind: str) -> Judge:
    """Return an estimator for one kind of job."""
    return _MAKERS[name](kind)


def _expected(kind: str) -> float:
    return 120.0 if kind == "create_world" else 30.0


def _parts(kind: str) -> int:
    """Return how many parts such a job has: items, or pieces, paragraphs and the title."""
    return 12 if kind == "create_world" else 3
