"""How far off estimates were in the past, stage by stage: the interval around the next one."""

from bisect import bisect_right
from collections.abc import Sequence
from random import random
from typing import Final

from loresmith.jobs.profile import Sample, quantile
from loresmith.jobs.trace import Trace

BORDERS: Final = (0.06, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.82, 0.88, 0.93, 0.97)
"""Fractions at which a stage ends and the next begins."""
STAGES: Final = len(BORDERS) + 1
_HALF_LIFE_JOBS: Final = 20.0
_FEWEST: Final = 8
_LOW, _MIDDLE, _HIGH = 0.1, 0.5, 0.9
_UNKNOWN: Final = (0.75, 1.0, 1.4)
MISSING: Final = -1


class Stages:
    """What a running job was estimated to take in all, at a moment of each stage that is chosen by chance."""

    __slots__ = ("_counts", "_totals")

    def __init__(self) -> None:
        self._counts = [0] * STAGES
        self._totals = [0.0] * STAGES

    def note(self, fraction: float, total: float) -> int:
        """Take in an estimate of the whole time; returns the stage."""
        stage = bisect_right(BORDERS, fraction)
        self._counts[stage] += 1
        if random() * self._counts[stage] < 1:
            self._totals[stage] = total
        return stage

    def residuals(self, seconds: float) -> list[int]:
        """Return for each stage what the job took as a multiple of the estimate, in thousandths; -1 for none."""
        return [
            int(1000 * seconds / total) if count and total > 0 else MISSING
            for count, total in zip(self._counts, self._totals, strict=True)
        ]


class Residuals:
    """Those of past jobs, newest first."""

    __slots__ = ("_spreads",)

    def __init__(self, traces: Sequence[Trace]) -> None:
        by_stage: list[list[Sample]] = [[] for _ in range(STAGES)]
        for age, trace in enumerate(traces):
            for stage, residual in enumerate(trace.residuals[:STAGES]):
                if residual != MISSING:
                    by_stage[stage].append((residual / 1000, 0.5 ** (age / _HALF_LIFE_JOBS)))
        self._spreads = [_spread(by_stage, stage) for stage in range(STAGES)]

    def spread(self, stage: int) -> tuple[float, float, float]:
        """Return the 10 %, the middle and the 90 % quantile in this stage of jobs as multiples of their estimates."""
        return self._spreads[stage]


def _spread(by_stage: Sequence[list[Sample]], stage: int) -> tuple[float, float, float]:
    samples = by_stage[stage]
    if len(samples) < _FEWEST:
        around = by_stage[max(0, stage - 1) : stage + 2]
        samples = [sample for each in around for sample in each]
    if len(samples) < _FEWEST:
        return _UNKNOWN
    return quantile(samples, _LOW), quantile(samples, _MIDDLE), quantile(samples, _HIGH)
