"""How far a job is: the number it shows, and the estimate of what is done and left, from checkpoints of past jobs.

The number is 0 waiting, 20 to 79 generating, 90 finalising, 100 done, and never goes back. Nothing here does I/O.
"""

import math
from dataclasses import dataclass
from typing import Final

from loresmith.jobs.profile import MOMENT, MOST_PARTS, Checkpoint, Profile
from loresmith.jobs.residuals import Residuals, Stages

STARTED: Final = 20
GENERATED: Final = 79
FINALIZING: Final = 90
COMPLETED: Final = 100
TICK_SECONDS: Final = 0.5


def measured(fraction: float) -> int:
    """Return the progress for a fraction (0 to 1) of the generation done: 20 + floor(59 f)."""
    return STARTED + int((GENERATED - STARTED) * min(1.0, max(0.0, fraction)))


def simulated(elapsed_seconds: float, expected_seconds: float) -> int:
    """Return the progress by the clock: +1 every sixtieth of the expected time, 79 at the most.

    For the 30 s of a generate job that is one step each 0.5 s.
    """
    steps = int(elapsed_seconds / (expected_seconds / 60))
    return min(GENERATED, STARTED + steps)


ALMOST: Final = 0.995
"""The most that an estimate says is done: the end is not estimated, it happens."""
_LEAST_LATE_SECONDS: Final = 6.0
_OVERDUE: Final = 0.3
"""What is overdue takes at least this share of the time that it was waited for so far."""
_NEAR_END: Final = 0.95
_LAST_STEPS_SECONDS: Final = 7.0
_RESERVE: Final = 0.2
"""How much of what the interval has beyond the estimate the bar keeps back: a last item may be written once more."""
_FASTEST: Final = math.log(1 / 5)
_SLOWEST: Final = math.log(8)
_SMOOTH: Final = 0.4


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is said at one moment: the share that is done, and the seconds left with their 80 % interval."""

    fraction: float
    seconds: float
    low: float
    high: float
    late: bool = False
    """Whether the next checkpoint is overdue, as it is once in twenty times."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """A part under way: its last checkpoint, when that was, and by how much the part is slower than usual."""

    since: float
    checkpoint: Checkpoint
    speed: float

    def awaited(self, seconds: float) -> float:
        """Return how much less is left than at the checkpoint: it counts down to the next one and no further."""
        due, waited = self.checkpoint.gap * self.speed, seconds - self.since
        return due - max(due - waited, _OVERDUE * waited)

    def left(self, parts: int) -> float:
        """Return what was left at the checkpoint, for the last of so many parts as this one."""
        return self.checkpoint.left[min(parts, MOST_PARTS) - 1] * self.speed


class Estimator:
    """One running job. `reached` takes its checkpoints, `at` gives the estimate of a moment; times only grow.

    The job ends when its slowest part under way has ended and those that follow are done. A part takes from its last
    checkpoint what past jobs took from there, and waiting for the next one counts until it is due, so that what is
    overdue stretches the whole. Times are scaled: by the pace of the model of late, blended with how slow this part,
    or this job, has been up to the checkpoint, by how far that told something about the rest in the past.

    `done` is the fraction that was shown when this run of the job began: 0 at the first.
    """

    __slots__ = (
        "_begun",
        "_done",
        "_fraction",
        "_lanes",
        "_late_at",
        "_log_pace",
        "_log_speed",
        "_parts",
        "_profile",
        "_residuals",
        "_said_at",
        "_speed",
        "stages",
    )

    def __init__(self, profile: Profile, residuals: Residuals, *, pace: float = 1.0, done: float = 0.0) -> None:
        self._profile = profile
        self._residuals = residuals
        self._log_pace = self._log_speed = math.log(pace)
        self._speed = pace
        self._begun: dict[int, float] = {}
        self._lanes: dict[int, _Lane] = {}
        self._parts = 0
        self._done = self._fraction = done
        self._said_at = 0.0
        self._late_at = max(_LEAST_LATE_SECONDS, profile.first_late * pace)
        self.stages = Stages()

    def reached(self, part: int, mark: int, seconds: float) -> None:
        """Take in that a part is at a checkpoint, `seconds` after the start of this run."""
        self._parts |= 1 << part
        begun = self._begun.setdefault(part, seconds)
        checkpoint = self._profile.checkpoint(part, mark)
        if checkpoint is None:
            self._late_at = max(self._late_at, seconds + _LEAST_LATE_SECONDS)
            return
        speed = math.exp(self._blended(seconds - begun, checkpoint.own, checkpoint.own_trust))
        self._lanes[part] = _Lane(seconds, checkpoint, speed)
        if not self._done:
            own = self._blended(seconds, checkpoint.since_start, checkpoint.trust)
            self._log_speed += _SMOOTH * (own - self._log_speed)
            self._speed = math.exp(self._log_speed)
        self._late_at = seconds + max(_LEAST_LATE_SECONDS, checkpoint.late * speed)

    def _blended(self, actual: float, usual: float, trust: float) -> float:
        """Return the logarithm of the speed: the pace of the model, and what was seen as far as it is trusted."""
        if actual <= MOMENT or usual <= MOMENT:
            return self._log_pace
        seen = min(_SLOWEST, max(_FASTEST, math.log(actual / usual)))
        return self._log_pace + trust * (seen - self._log_pace)

    def at(self, seconds: float) -> Estimate:
        """Return the estimate at a moment, `seconds` after the start of this run."""
        total = seconds + self._left(seconds)
        low, middle, high = self._residuals.spread(self.stages.note(self._fraction, total))
        left = max(0.0, total * middle - seconds)
        longest = max(left, total * high - seconds)
        self._fraction = self._moved(seconds, left + _RESERVE * (longest - left))
        return Estimate(
            self._fraction,
            left,
            min(left, max(0.0, total * low - seconds)),
            longest,
            late=seconds > self._late_at,
        )

    def _left(self, seconds: float) -> float:
        after = self._profile.after(self._parts) if self._parts else None
        if after is not None:
            return self._under_way(seconds) + after * self._speed
        whole, due = self._profile.seconds * self._speed, self._profile.first_gap * self._speed
        rest = max(whole - seconds, _OVERDUE * seconds) if self._parts else whole - min(seconds, max(due, 0.9 * whole))
        return max(self._under_way(seconds), rest)

    def _under_way(self, seconds: float) -> float:
        """Return when the last of the parts under way ends: later, in the median, than the slowest would alone."""
        longest, farthest = 0.0, list[tuple[float, float, _Lane]]()
        for lane in self._lanes.values():
            if lane.checkpoint.left[-1] > 0:
                awaited = lane.awaited(seconds)
                longest = max(longest, lane.left(1) - awaited)
                farthest.append((lane.left(MOST_PARTS) - awaited, awaited, lane))
        rivals = [(awaited, lane) for far, awaited, lane in farthest if far > longest]
        if len(rivals) < 2:
            return longest
        return max(lane.left(len(rivals)) - awaited for awaited, lane in rivals)

    def _moved(self, seconds: float, left: float) -> float:
        """Return the fraction now: the one that is true by the estimate.

        A bar that is ahead of that waits for nothing: it moves on as slowly as it must to arrive in time. Near the end
        it takes its time for each step, so that some are left for a last item that is written once more.
        """
        passed, self._said_at = max(0.0, seconds - self._said_at), max(seconds, self._said_at)
        true = self._done + (1 - self._done) * seconds / max(seconds + left, MOMENT)
        ahead = self._fraction + (1 - self._fraction) * passed / max(passed + left, MOMENT)
        share = max(true, ahead)
        if share > _NEAR_END:
            share = min(share, max(_NEAR_END, self._fraction + passed / (GENERATED - STARTED) / _LAST_STEPS_SECONDS))
        return max(self._fraction, min(ALMOST, share))


def plain(seconds: float, fraction: float, expected_seconds: float, *, done: float = 0.0) -> Estimate:
    """Return the estimate of a job without a profile, from the share of its steps and what its type usually takes."""
    share = max(0.0, fraction - done) / max(1 - done, MOMENT)
    usual = expected_seconds * (1 - done)
    by_steps = seconds * (1 - share) / share if share > 0 else usual
    by_type = max(usual - seconds, _OVERDUE * seconds)
    left = share * by_steps + (1 - share) * by_type
    return Estimate(fraction, left, 0.4 * left, 2.5 * left)
