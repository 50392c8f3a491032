"""The number a job shows: 0 waiting, 20 to 79 generating, 90 finalising, 100 done; never backwards."""

from typing import Final

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
