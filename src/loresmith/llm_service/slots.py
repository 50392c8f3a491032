"""The slots of a provider: how many calls it serves at once, and who waits for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Literal


class Slots:
    """`count` slots, given out in the order in which they were asked for."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"slots must be at least 1, not {count!r}")
        self.count = count
        self._free = asyncio.Semaphore(count)

    async def acquire(self, *, reminder_seconds: float) -> AsyncGenerator[None, None]:
        """Waits for a slot; yields at once, and then every `reminder_seconds`, while it must wait.

        The caller holds a slot when the iteration ended by itself, and must `release` it. Closing
        the generator before leaves the queue.
        """
        if not self._free.locked():
            await self._free.acquire()
            return
        waiting = asyncio.create_task(self._free.acquire())
        try:
            while not waiting.done():
                yield
                await asyncio.wait({waiting}, timeout=reminder_seconds)
        except BaseException:
            self._leave(waiting)
            raise

    def release(self) -> None:
        """Gives a slot back."""
        self._free.release()

    def _leave(self, waiting: asyncio.Task[Literal[True]]) -> None:
        if waiting.done():
            self.release()
        waiting.cancel()
