"""Waiting for something, with a reminder now and then for those who must be told that it takes time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_FIRST_REMINDER_SECONDS: Final = 0.05


class Waiting(Generic[T]):
    """Waits for `work`; when `reminders` has ended by itself, `result` is there.

    Who closes `reminders` before gives the wait up: `work` is cancelled, and what it gave at that very moment goes to
    `drop`.
    """

    def __init__(
        self, work: Coroutine[Any, Any, T], *, reminder_seconds: float, drop: Callable[[T], None] = lambda _: None
    ) -> None:
        self._work = work
        self._reminder_seconds = reminder_seconds
        self._drop = drop
        self.result: T

    async def reminders(self) -> AsyncGenerator[None, None]:
        """Yields soon, and then every `reminder_seconds`, while it must wait. Raises what `work` raises."""
        task = asyncio.create_task(self._work)
        pause = min(_FIRST_REMINDER_SECONDS, self._reminder_seconds)
        try:
            while not (await asyncio.wait({task}, timeout=pause))[0]:
                yield
                pause = self._reminder_seconds
        except BaseException:
            await self._give_up(task)
            raise
        self.result = task.result()

    async def _give_up(self, task: asyncio.Task[T]) -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
        if task.done() and not task.cancelled() and task.exception() is None:
            self._drop(task.result())
