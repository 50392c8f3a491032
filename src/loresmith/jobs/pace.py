"""The speed of a model of late: how much longer jobs took than their profiles said."""

import math
from collections.abc import Sequence
from typing import Final

MOST: Final = 16
_HALF_LIFE_JOBS: Final = 3.0
_DOUBT: Final = 0.5
"""Counts as so many jobs that took what was expected."""


class Pace:
    """Logarithms of actual by expected time of jobs on one model, of whatever type, newest first."""

    __slots__ = ("_ratios",)

    def __init__(self, ratios: Sequence[float] = ()) -> None:
        self._ratios = list(ratios)[:MOST]

    def note(self, ratio: float) -> None:
        """Take in another job."""
        self._ratios.insert(0, ratio)
        del self._ratios[MOST:]

    def factor(self) -> float:
        """Return by what the expected time is to be multiplied; 1 while nothing is known."""
        weights = [0.5 ** (age / _HALF_LIFE_JOBS) for age in range(len(self._ratios))]
        known = sum(weight * ratio for weight, ratio in zip(weights, self._ratios, strict=True))
        return math.exp(known / (_DOUBT + sum(weights)))
