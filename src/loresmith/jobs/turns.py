"""Turns of the event loop: heavy work goes on piece by piece, one piece in each turn, and others run in between."""

import asyncio
import time
from typing import Final

_HELD_SECONDS: Final = 0.004


class Turns:
    """Gives heavy work its turns, over all that is under way in a process."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait until no other heavy work runs in this turn. What follows runs up to its next `await`."""
        async with self._lock:
            await asyncio.sleep(0)

    def work(self) -> "Work":
        """Return work that is done in several turns."""
        return Work(self)


class Work:
    """Work on many things; `give` is called after each."""

    __slots__ = ("_since", "_turns")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._since = time.monotonic()

    async def give(self) -> None:
        """Let others run, once the work has held the loop for 4 ms."""
        if time.monotonic() - self._since >= _HELD_SECONDS:
            await self._turns.take()
            self._since = time.monotonic()
