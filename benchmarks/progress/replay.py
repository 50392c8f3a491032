"""Replays recorded jobs through estimators: each is told only what it could know, and judged on every half second."""

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.progress.recorded import Recorded

TICK_SECONDS = 0.5
STEPS = 59
"""Steps of `progress` while a job runs: a bar stands still while none is made."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an estimator says at one moment; no ETA where it has none."""

    fraction: float
    eta: tuple[float, float, float] | None = None


class Judged(Protocol):
    """One job as an estimator follows it."""

    def reached(self, part: int, mark: int, seconds: float) -> None: ...
    def at(self, seconds: float) -> Said: ...
    def ended(self, seconds: float) -> None: ...


class Judge(Protocol):
    """An estimator of one kind of job: jobs are given in order, each ends before the next begins."""

    @property
    def name(self) -> str: ...
    def begin(self) -> Judged: ...


@dataclass(slots=True)
class Marks:
    """How an estimator did on one job; errors in points, times in seconds."""

    kind: str
    errors: list[float] = field(default_factory=list[float])
    back: int = 0
    stand_still: float = 0.0
    jump: float = 0.0
    covered: list[bool] = field(default_factory=list[bool])
    widths: list[float] = field(default_factory=list[float])
    on_events: float = 0.0
    on_estimates: float = 0.0
    events: int = 0

    @property
    def error(self) -> float:
        """The mean error of the job."""
        return statistics.fmean(self.errors)


def replay(judge: Judge, jobs: Sequence[Recorded], kind: str, judged_from: int) -> Iterator[Marks]:
    """Give an estimator all jobs of a kind in order; yield its marks for those from a number on."""
    for place, job in enumerate(jobs):
        marks = _follow(judge.begin(), job, kind)
        if place >= judged_from:
            yield marks


def _follow(one: Judged, job: Recorded, kind: str) -> Marks:
    marks, said, total = Marks(kind), Said(0.0), job.seconds
    coming = list(job.marks())
    stands = _StandStill(job)
    ticks = [TICK_SECONDS * number for number in range(1, math.ceil(total / TICK_SECONDS))]
    at = 0
    told: list[tuple[float, Said]] = []
    for tick in ticks:
        began = time.process_time()
        while at < len(coming) and coming[at][2] <= tick:
            one.reached(*coming[at])
            at += 1
        heard = time.process_time()
        told.append((tick, one.at(tick)))
        marks.on_events += heard - began
        marks.on_estimates += time.process_time() - heard
    marks.events = len(coming)
    for tick, now in told:
        marks.errors.append(100 * abs(now.fraction - tick / total))
        marks.back += now.fraction < said.fraction
        stands.see(tick, now.fraction)
        if now.eta is not None:
            _, low, high = now.eta
            marks.covered.append(low <= total - tick <= high)
            marks.widths.append((high - low) / total)
        said = now
    marks.stand_still = stands.end(total)
    marks.jump = 100 * (1 - said.fraction)
    one.ended(total)
    return marks


class _StandStill:
    """The longest time for which the number shown stayed the same, without the silences of the model."""

    def __init__(self, job: Recorded) -> None:
        self._silences = list(zip(job.silences[::2], job.silences[1::2], strict=True))
        self._shown, self._since, self._longest = 0, 0.0, 0.0

    def see(self, seconds: float, fraction: float) -> None:
        """Take in what is shown now."""
        shown = int(STEPS * fraction)
        if shown != self._shown:
            self.end(seconds)
            self._shown, self._since = shown, seconds

    def end(self, seconds: float) -> float:
        """Take in that what was shown ends; returns the longest so far."""
        stood = seconds - self._since
        for start, length in self._silences:
            stood -= max(0.0, min(seconds, (start + length) / 1000) - max(self._since, start / 1000))
        self._longest = max(self._longest, stood)
        return self._longest
