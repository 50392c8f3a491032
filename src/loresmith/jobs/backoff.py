"""How long to wait before the next attempt: exponential backoff with full jitter.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

import random
from collections.abc import Sequence
from typing import Final

_BASE_SECONDS: Final = 2.0
_CAP_SECONDS: Final = 60.0
_SCHEDULE_JITTER: Final = 0.1


def retry_delay(attempt: int, *, retry_after_seconds: float | None = None, schedule: Sequence[float] = ()) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 1) failed.

    A delay that the other side asked for is a lower bound, with the jitter on top: clients that were told the same
    time do not come back at the same instant. A `schedule` of waits stands in place of the
    backoff, with a tenth of jitter.
    """
    if schedule:
        wait = schedule[min(attempt, len(schedule)) - 1] * random.uniform(1.0, 1.0 + _SCHEDULE_JITTER)
        return max(retry_after_seconds or 0.0, wait)
    jitter = random.uniform(0.0, min(_CAP_SECONDS, _BASE_SECONDS * 2 ** (attempt - 1)))
    return (retry_after_seconds or 0.0) + jitter
