"""Pauses between the tries of a job: waits for what is away, and retries of attempts that failed.

Source of full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_SCHEDULE_JITTER: Final = 0.1
_LEAST_LEFT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pacing:
    """Bounds of the pauses, in seconds. A delay that the other side asked for is a lower bound of each pause."""

    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 30.0
    retry_seconds: tuple[tuple[float, float], ...] = ((5.0, 10.0), (55.0, 75.0), (60.0, 90.0))
    """Least and most seconds after the first, the second and each later failure: three attempts span a minute."""
    uniform: Callable[[float, float], float] = random.uniform

    def wait(self, times: int, *, left_seconds: float, retry_after_seconds: float | None = None) -> float | None:
        """Return the pause before look number `times` (from 1) for what is away; None when no time is left.

        The pause ends at the deadline of the job at the latest: then the job is failed.
        """
        if left_seconds <= 0:
            return None
        most = min(self.longest_wait_seconds, self.first_wait_seconds * 2 ** min(times, 30))
        pause = self.uniform(self.first_wait_seconds, most)
        return min(left_seconds, max(pause, (retry_after_seconds or 0.0) + self._jitter(retry_after_seconds)))

    def retry(
        self,
        failures: int,
        *,
        left_seconds: float,
        retry_after_seconds: float | None = None,
        schedule: Sequence[float] = (),
    ) -> float | None:
        """Return the pause after failure number `failures` (from 1); None when the deadline leaves no room for a try.

        A `schedule` of waits, with a tenth of jitter, stands in place of the pacing. A job whose deadline comes before
        its next try gets that try half way to the deadline.
        """
        wish = retry_after_seconds or 0.0
        if schedule:
            pause = schedule[min(failures, len(schedule)) - 1] * self.uniform(1.0, 1.0 + _SCHEDULE_JITTER)
            return pause if (pause := max(wish, pause)) < left_seconds else None
        least, most = self.retry_seconds[min(failures, len(self.retry_seconds)) - 1]
        pause = max(self.uniform(least, most), wish + self._jitter(retry_after_seconds))
        if pause < left_seconds:
            return pause
        half = left_seconds / 2
        return half if half >= max(wish, _LEAST_LEFT_SECONDS) else None

    def _jitter(self, retry_after_seconds: float | None) -> float:
        """Return what keeps clients that were given the same time from coming back at the same instant."""
        return self.uniform(0.0, self.first_wait_seconds) if retry_after_seconds else 0.0


DEFAULT_PACING: Final = Pacing()
