"""Counts the jobs of a queue: how many wait, run and ended of late, and the place of one that waits."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loresmith.jobs import keys, lua
from loresmith.jobs.gather import Gather
from loresmith.jobs.pipeline import Pipeline

_ENDS: Final = 50
_WINDOW_MS: Final = 300_000
_FRESH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is in a queue. `ended` has the time in ms and the id of jobs that ended last, newest first."""

    high: int
    normal: int
    low: int
    running: int
    scheduled: int
    open: int
    paused: bool
    now_ms: int
    ended: Sequence[tuple[int, str]]
    oldest_ms: int = 0
    """When the one that waits longest was released; 0 when none waits."""

    @property
    def oldest_waiting_seconds(self) -> float:
        """For how long it waits."""
        return max(0, self.now_ms - self.oldest_ms) / 1000 if self.oldest_ms else 0.0


class Census:
    """Counts without writing."""

    def __init__(self, pipeline: Pipeline, queue: keys.QueueKeys) -> None:
        self._pipeline = pipeline
        self.keys = queue
        self._paced: tuple[float, float | None] | None = None
        self._placing: Gather[int, int] = Gather(self.places)

    def place(self, due_ms: int) -> asyncio.Future[int]:
        """Return the place, from 1, of a waiting job that must have started by `due_ms`; priorities do not count."""
        return self._placing.add(due_ms)

    def places(self, due_ms: Sequence[int]) -> asyncio.Future[Sequence[int]]:
        """Do as `place` for several, with the next batch."""
        return self._pipeline.script(lua.PLACES, (self.keys.open, *self.keys.streams), (keys.GROUP, *due_ms))

    async def seconds_each(self) -> float | None:
        """Return the seconds between two ends of jobs of late, None where too few ended; a few seconds old."""
        if self._paced is None or time.monotonic() - self._paced[0] > _FRESH_SECONDS:
            depth = await self.depth(_ENDS)
            self._paced = (time.monotonic(), None if depth.paused else _between_ends(depth))
        return self._paced[1]

    async def depth(self, ended: int) -> Depth:
        """Count what is in the queue and name up to `ended` jobs that ended last."""
        reply = await self._pipeline.script(
            lua.DEPTH,
            (*self.keys.streams, self.keys.scheduled, self.keys.open, self.keys.ended, self.keys.paused),
            (keys.GROUP, ended),
        )
        *counts, paused, now_ms, flat, oldest_ms = reply
        last = [(int(at), job_id.decode()) for at, job_id in zip(flat[::2], flat[1::2], strict=True)]
        return Depth(*counts, paused=bool(paused), now_ms=now_ms, ended=last, oldest_ms=oldest_ms)


def _between_ends(depth: Depth) -> float | None:
    ends = [at for at, _ in depth.ended if at >= depth.now_ms - _WINDOW_MS]
    return (depth.now_ms - ends[-1]) / 1000 / len(ends) if len(ends) >= 2 else None
