"""When a series of figures counts as flat: a robust slope over the second half, extrapolated, under a bound."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

_SIGMAS: Final = 1.96
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Trend:
    """The slope of a series per second (Theil-Sen), and its 95 % interval (Sen 1968, by Kendall's tau)."""

    slope: float
    low: float
    high: float


def trend_of(times: Sequence[float], values: Sequence[float]) -> Trend:
    """Return the trend of at least three figures; single ones that are far off change little."""
    pairs = combinations(zip(times, values, strict=True), 2)
    slopes = sorted((later - earlier) / (at - before) for (before, earlier), (at, later) in pairs)
    n = len(values)
    spread = _SIGMAS * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low, high = round((len(slopes) - spread) / 2), round((len(slopes) + spread) / 2) - 1
    last = len(slopes) - 1
    return Trend(statistics.median(slopes), slopes[max(0, low)], slopes[min(last, max(0, high))])


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a figure may grow in an hour: a share of its median, and no less than a floor."""

    share: float
    floor: float

    def of(self, median: float) -> float:
        """The growth in an hour that is still flat."""
        return max(self.share * median, self.floor)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one series: `growth` and its interval are for an hour at the slope of the second half."""

    name: str
    first: float
    median: float
    last: float
    growth: float
    low: float
    high: float
    allowed: float | None
    highest: float
    ceiling: float | None

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow beyond its bound for certain: the lower end of the interval is what counts."""
        if self.ceiling is not None:
            return self.highest <= self.ceiling
        return self.allowed is None or self.low <= self.allowed

    @property
    def is_judged(self) -> bool:
        """Whether there is a bound at all; other figures are only told."""
        return self.allowed is not None or self.ceiling is not None


def judge(
    name: str, times: Sequence[float], values: Sequence[float], *, bound: Bound | None, ceiling: float | None
) -> Verdict:
    """Judge the second half of a series by its slope, or all of it by a ceiling where it has one."""
    half = len(values) // 2
    trend = trend_of(times[half:], values[half:])
    median = statistics.median(values[half:])
    hourly = (trend.slope * HOUR, trend.low * HOUR, trend.high * HOUR)
    allowed = bound.of(median) if bound and ceiling is None else None
    return Verdict(name, values[0], median, values[-1], *hourly, allowed, max(values), ceiling)
