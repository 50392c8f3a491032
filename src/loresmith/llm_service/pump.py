"""Events of a request that runs in a task of its own, with reminders while it is silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import Final, Generic, TypeVar

from loresmith.llm_service.tolerance import watched_signs

T = TypeVar("T")
_MOST_AHEAD: Final = 256


class SilentError(Exception):
    """Nothing came for as long as was allowed."""


class Pump(Generic[T]):
    """Runs `source` and hands on its events; None stands for a moment in which there was none, but may be one yet."""

    def __init__(
        self, source: Callable[[], AsyncIterator[T]], *, reminder_seconds: float, silence_seconds: float
    ) -> None:
        self._source = source
        self._reminder_seconds = reminder_seconds
        self._silence_seconds = silence_seconds
        self._events: asyncio.Queue[T] = asyncio.Queue(_MOST_AHEAD)

    async def events(self) -> AsyncGenerator[T | None, None]:
        """Yield what comes. Raises what the source raises, and SilentError; closing it cancels the source."""
        signs = watched_signs()
        task = asyncio.create_task(self._run())
        try:
            while True:
                try:
                    event = await self._next(task)
                except TimeoutError:
                    if time.monotonic() - signs[0] >= self._silence_seconds:
                        raise SilentError from None
                    yield None
                    continue
                if event is _END:
                    break
                signs[0] = time.monotonic()
                yield event  # pyright: ignore[reportReturnType] (the end is no event)
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})

    async def _next(self, task: asyncio.Task[None]) -> T | object:
        """The next event, or the end. Raises TimeoutError when it is time for a reminder."""
        if not self._events.empty():
            return self._events.get_nowait()
        getting = asyncio.ensure_future(self._events.get())
        try:
            limit = min(self._reminder_seconds, self._silence_seconds)
            await asyncio.wait({getting, task}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
            if task.done():
                return _END if self._events.empty() else self._events.get_nowait()
            raise TimeoutError
        finally:
            getting.cancel()

    async def _run(self) -> None:
        async for event in self._source():
            await self._events.put(event)


_END: Final = object()
