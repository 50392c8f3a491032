"""What past jobs of one kind teach: how long they took, and how long from each checkpoint on."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from loresmith.jobs.trace import Trace

HALF_LIFE_JOBS: Final = 50.0
FEWEST_JOBS: Final = 8
"""With fewer past jobs there is no profile."""
MOST_PARTS: Final = 6
"""Parts side by side beyond these count no more."""
_FEWEST_SAMPLES: Final = 3
_LARGEST_TRUST: Final = 0.95
MOMENT: Final = 0.05
"""Shorter times say nothing about speed."""

Sample = tuple[float, float]
"""A value and its weight."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint of a part as past jobs went on from it; medians in seconds."""

    left: tuple[float, ...]
    """Until the part is done: the time in which the last of one, two, three, … such parts are, in the median."""
    gap: float
    """Until the next checkpoint of the part."""
    late: float
    """A gap that one in twenty exceeds."""
    own: float
    """Since the first checkpoint of the part."""
    own_trust: float
    """How much of a part's being slow up to here is found again in what it takes from here, 0 to 1."""
    since_start: float
    """Since the start of the job."""
    trust: float
    """The same as `own_trust` of the job: up to here, and from here to its end."""


@dataclass(slots=True)
class _Seen:
    """What the traces say of one checkpoint, in seconds, one value for each time that it was reached."""

    weight: list[float] = field(default_factory=list[float])
    left: list[float] = field(default_factory=list[float])
    gap: list[float] = field(default_factory=list[float])
    own: list[float] = field(default_factory=list[float])
    since_start: list[float] = field(default_factory=list[float])
    to_end: list[float] = field(default_factory=list[float])

    def checkpoint(self) -> Checkpoint:
        own, since_start = self._median(self.own), self._median(self.since_start)
        trust = _slope(self.own, self.left)
        left = [
            one * (own / mine) ** trust if mine > MOMENT else one for one, mine in zip(self.left, self.own, strict=True)
        ]
        return Checkpoint(
            tuple(self._left(left, parts) for parts in range(1, MOST_PARTS + 1)),
            self._median(self.gap),
            self._median(self.gap, 0.95),
            own,
            trust,
            since_start,
            _slope(self.since_start, self.to_end),
        )

    def _left(self, values: Sequence[float], parts: int) -> float:
        """The last of so many parts ends by this; one alone by what it takes on average, where that is more."""
        samples = list(zip(values, self.weight, strict=True))
        return expected(samples) if parts == 1 else max(expected(samples), quantile(samples, 0.5 ** (1 / parts)))

    def _median(self, values: Sequence[float], share: float = 0.5) -> float:
        return quantile(list(zip(values, self.weight, strict=True)), share)


class Profile:
    """Built from traces, newest first; needs FEWEST_JOBS of them."""

    __slots__ = ("_after", "_any_part", "_checkpoints", "first_gap", "first_late", "seconds")

    def __init__(self, traces: Sequence[Trace]) -> None:
        weights = [0.5 ** (age / HALF_LIFE_JOBS) for age in range(len(traces))]
        self.seconds = expected([(one.seconds, weight) for one, weight in zip(traces, weights, strict=True)])
        seen: defaultdict[tuple[int, int], _Seen] = defaultdict(_Seen)
        any_part: defaultdict[int, _Seen] = defaultdict(_Seen)
        after: defaultdict[int, list[Sample]] = defaultdict(list)
        firsts: list[Sample] = []
        for trace, weight in zip(traces, weights, strict=True):
            _learn(trace, weight, seen, any_part, after, firsts)
        self._checkpoints = {key: one.checkpoint() for key, one in seen.items() if len(one.left) >= _FEWEST_SAMPLES}
        self._any_part = {mark: one.checkpoint() for mark, one in any_part.items() if len(one.left) >= _FEWEST_SAMPLES}
        self._after = {parts: expected(samples) for parts, samples in after.items()}
        self.first_gap, self.first_late = quantile(firsts), quantile(firsts, 0.95)

    def checkpoint(self, part: int, mark: int) -> Checkpoint | None:
        """Return what is known of a checkpoint, of this part or else of any; None for a rare one."""
        return self._checkpoints.get((part, mark)) or self._any_part.get(mark)

    def after(self, parts: int) -> float | None:
        """Return the seconds from the end of a set of parts, as bits, to the end of the job."""
        return self._after.get(parts)


def _learn(
    trace: Trace,
    weight: float,
    seen: defaultdict[tuple[int, int], _Seen],
    any_part: defaultdict[int, _Seen],
    after: defaultdict[int, list[Sample]],
    firsts: list[Sample],
) -> None:
    marks = list(trace.marks())
    total = trace.seconds
    ends = {part: at for part, _, at in marks}
    begins = {part: at for part, _, at in reversed(marks)}
    following: dict[int, float] = {}
    for part, mark, at in reversed(marks):
        gap = following.get(part, at) - at
        following[part] = at
        for one in (seen[part, mark], any_part[mark]):
            one.weight.append(weight)
            one.left.append(ends[part] - at)
            one.gap.append(gap)
            one.own.append(at - begins[part])
            one.since_start.append(at)
            one.to_end.append(total - at)
    firsts.append((marks[0][2] if marks else total, weight))
    parts, latest = 0, 0.0
    for part, _, _ in marks:
        if not parts & (1 << part):
            parts |= 1 << part
            latest = max(latest, ends[part])
            after[parts].append((total - latest, weight))


def quantile(samples: Sequence[Sample], share: float = 0.5) -> float:
    """Return the weighted quantile of values with their weights; 0 of nothing."""
    if not samples:
        return 0.0
    ordered = sorted(samples)
    least = share * sum(weight for _, weight in ordered)
    for value, weight in ordered:
        least -= weight
        if least <= 0:
            return value
    return ordered[-1][0]


def expected(samples: Sequence[Sample]) -> float:
    """Return the weighted median, or the mean where that is more: of times, a few are long."""
    if not samples:
        return 0.0
    mean = sum(value * weight for value, weight in samples) / sum(weight for _, weight in samples)
    return max(mean, quantile(samples))


def _slope(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the slope of the logarithms of two times, shrunk where pairs are few, within 0 and the largest trust."""
    pairs = [(math.log(x), math.log(y)) for x, y in zip(before, after, strict=True) if x > MOMENT and y > MOMENT]
    n = len(pairs)
    if n < _FEWEST_SAMPLES:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in pairs) / n, sum(y for _, y in pairs) / n
    varies = sum((x - mean_x) ** 2 for x, _ in pairs)
    together = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    slope = together / varies if varies > 1e-9 else 0.0
    return min(_LARGEST_TRUST, max(0.0, slope * n / (n + FEWEST_JOBS)))
