"""What there is to say of a job that is open: its place in the queue, or the time that it will take.

The web page says the same (frontend/src/components/jobs/wording.ts); tests/outlook.json has examples for both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loresmith.client import Job

_ORDINALS: Final = ("next", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def outlook(job: Job, now: datetime) -> str:
    """Return it in words; empty where nobody knows, and once the job has ended."""
    if job.done:
        return ""
    if job.status == "pending":
        return _place(job, now)
    if job.eta is None or job.eta.high <= 0:
        return ""
    low, high = _rounded(job.eta.low, math.floor), _rounded(job.eta.high, math.ceil)
    (count, unit), last = _span(low), _span(high)
    if low == high:
        return f"about {count} {unit} left"
    return f"about {count}{'' if unit == last[1] else f' {unit}'} to {last[0]} {last[1]} left"


def _place(job: Job, now: datetime) -> str:
    if job.queue is None:
        return ""
    position, start = job.queue.position, job.queue.expected_start
    place = f"{_ORDINALS[position - 1] if position <= len(_ORDINALS) else f'number {position}'} in the queue"
    if start is None:
        return place
    seconds = (start - now).total_seconds()
    if seconds < 0.5:
        return f"{place}, starts any moment"
    count, unit = _span(_rounded(seconds, lambda each: math.floor(each + 0.5)))
    return f"{place}, starts in about {count} {unit}"


def _rounded(seconds: float, rounding: Callable[[float], int]) -> int:
    """To whole seconds under 10 s, to 5 s under a minute, to minutes under an hour, to hours."""
    step = next((step for step, below in ((1, 10), (5, 60), (60, 3600)) if seconds < below), 3600)
    return max(1, rounding(seconds / step) * step)


def _span(seconds: int) -> tuple[int, str]:
    if seconds < 60:
        return seconds, "s"
    return (seconds // 60, "min") if seconds < 3600 else (seconds // 3600, "h")
