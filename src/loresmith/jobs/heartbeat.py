"""Says that a worker lives and how busy it is, for people and dashboards; the leases do not depend on it."""

import asyncio
import os
import platform
import time
from collections.abc import Sized

from loresmith.jobs import keys, lua
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.registry import JobRegistry
from loresmith.jobs.types import timestamp

_GONE_SECONDS = 30


class Heartbeat:
    """Beats with the renewals."""

    def __init__(
        self, pipeline: Pipeline, name: str, *, queue: str, concurrency: int, running: Sized, registry: JobRegistry
    ) -> None:
        self._pipeline = pipeline
        self._name = name
        self._running = running
        self._facts = {
            "host": platform.node(),
            "pid": str(os.getpid()),
            "queue": queue,
            "concurrency": str(concurrency),
            "started_at": timestamp(),
            "types": ",".join(sorted(kind.name for kind in registry)),
        }

    async def beat(self) -> None:
        """Write the worker's facts, which expire soon, and its place among the workers."""
        now = int(time.time() * 1000)
        facts = {**self._facts, "running": str(len(self._running)), "seen_at": timestamp()}
        flat = [part for pair in facts.items() for part in pair]
        half = _GONE_SECONDS // 2  # the script drops what is older than two lifetimes
        beats = (
            self._pipeline.script(lua.BEAT, (keys.worker(self._name),), (_GONE_SECONDS, *flat)),
            self._pipeline.script(lua.INDEX, (keys.WORKERS,), (half, now, self._name)),
        )
        await asyncio.gather(*beats)

    async def leave(self) -> None:
        """Take the worker out of the list: it stopped as it should."""
        for command in (("DEL", keys.worker(self._name)), ("ZREM", keys.WORKERS, self._name)):
            await self._pipeline.command(*command)
