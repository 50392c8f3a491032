"""Estimates how much of a running job is done and when it ends, from its checkpoints and those of past jobs."""

import math
from dataclasses import dataclass
from typing import Final

from loresmith.jobs.profile import Checkpoint, Profile
from loresmith.jobs.residuals import Residuals, Stages

ALMOST: Final = 0.995
"""The most that is said to be done while the job runs."""
_LEAST_LATE_SECONDS: Final = 6.0
_FASTEST, _SLOWEST = math.log(1 / 5), math.log(8)


def bounded(x): return min(_SLOWEST, max(_FASTEST, x))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is said at one moment: the share that is done, and the seconds left with their 80 % interval."""

    fraction: float
    seconds: float
    low: float
    high: float
    late: bool = False
    """Whether the next checkpoint is overdue, as it is once in twenty times."""


class Estimator:
    """One running job. `reached` takes its checkpoints, `at` gives the estimate of a moment; times only grow.

    The job ends when its slowest part under way has ended and those that follow are done: each part is expected to
    take from its last checkpoint what past jobs took from there (the median), and waiting for a checkpoint counts
    only until it is due, so that a part that is overdue stretches the whole. Both are scaled by the speed of
    the job: that of its model of late, blended with how early or late this job was at its checkpoints, by how far
    that told something in the past.

    `done` is the fraction that was shown when this run of the job began, 0 at the first.
    """

    __slots__ = (
        "_done", "_begun", "_fraction", "_lanes", "_log_pace", "_log_speed", "_parts", "_profile", "_residuals", "_told",
        "stages", "late_at", "_speed",
    )  # fmt: skip

    def __init__(self, profile: Profile, residuals: Residuals, *, pace: float = 1.0, done: float = 0.0) -> None:
        self._profile = profile
        self._residuals = residuals
        self._log_pace = self._log_speed = math.log(pace)
        self._speed = pace
        self._begun: dict[int, float] = {}
        self._lanes: dict[int, tuple[float, Checkpoint, float]] = {}
        self._parts = 0
        self._done = self._fraction = done
        self._told = 0.0
        self.stages = Stages()
        self.late_at = max(_LEAST_LATE_SECONDS, profile.first_late * pace)

    def reached(self, part: int, mark: int, seconds: float) -> None:
        """Take in that a part is at a checkpoint, `seconds` after the start of this run."""
        self._parts |= 1 << part
        begun = self._begun.setdefault(part, seconds)
        checkpoint = self._profile.checkpoint(part, mark)
        if checkpoint is None:
            return
        log_speed = self._log_pace
        if (own := seconds - begun) > 0.05 and checkpoint.own > 0.05:
            log_speed += checkpoint.own_trust * (bounded(math.log(own / checkpoint.own)) - log_speed)
        speed = math.exp(log_speed)
        self._lanes[part] = (seconds, checkpoint, speed)
        if checkpoint.since_start > 0.05 and seconds > 0.05 and not self._done:
            wanted = self._log_pace + checkpoint.trust * (bounded(math.log(seconds / checkpoint.since_start)) - self._log_pace)
            self._log_speed += 0.4 * (wanted - self._log_speed)
            self._speed = math.exp(self._log_speed)
        self.late_at = seconds + max(_LEAST_LATE_SECONDS, checkpoint.late * speed)

    def at(self, seconds: float) -> Estimate:
        """Return the estimate at a moment, `seconds` after the start of this run."""
        total = seconds + self._left(seconds)
        stage = self.stages.note(self._fraction, total)
        low, middle, high = self._residuals.spread(stage)
        left = max(0.0, total * middle - seconds)
        self._fraction = self._moved(seconds, left)
        return Estimate(
            self._fraction,
            left,
            min(left, max(0.0, total * low - seconds)),
            max(left, total * high - seconds),
            late=seconds > self.late_at,
        )

    def _left(self, seconds: float) -> float:
        speed = self._speed
        under_way = self._under_way(seconds)
        after = self._profile.after(self._parts) if self._parts else None
        if after is None:
            whole = self._profile.seconds * speed
            return max(under_way, whole - min(seconds, max(0.9 * whole, self._profile.first_gap * speed)))
        return under_way + after * speed

    def _under_way(self, seconds: float) -> float:
        longest, lefts = 0.0, []
        for since, checkpoint, speed in self._lanes.values():
            waited = min(seconds - since, checkpoint.gap * speed)
            left = checkpoint.left[0] * speed - waited
            if left>0: lefts.append((checkpoint.left[-1]*speed - waited, speed, checkpoint, waited))
            longest = max(longest, left)
        rivals = sum(1 for far, *_ in lefts if far > longest)
        if rivals > 1:
            k = min(rivals, 6) - 1
            return max(c.left[k]*v - w for far, v, c, w in lefts)
        return longest

    def _moved(self, seconds: float, left: float) -> float:
        """Return the fraction now: what is true by the estimate, or, ahead of it, so much more that it arrives in time."""
        passed, self._told = seconds - self._told, seconds
        true = self._done + (1 - self._done) * seconds / max(seconds + left, 1e-6)
        ahead = self._fraction + (1 - self._fraction) * passed / max(passed + left, 1e-6)
        return max(self._fraction, min(ALMOST, max(true, ahead)))
