"""The parts of one process: started in order, watched, and stopped in reverse within a time limit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import TypeVar

import structlog

STOP_SECONDS = 4.5
"""All parts together have this long to stop; what is left then is cut short."""
_CUT_SECONDS = 0.3

Part = TypeVar("Part")
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class StartError(Exception):
    """The process cannot start, or a part of it ended; the message is one line for a person."""


class Stack:
    """Holds what runs. `stop` asks for the end; asking twice skips what is being waited for."""

    def __init__(self, *, stop_seconds: float = STOP_SECONDS) -> None:
        self._parts = AsyncExitStack()
        self._stop_seconds = stop_seconds
        self._wish = asyncio.Event()
        self._on_stop: list[Callable[[], None]] = []
        self._watched: dict[asyncio.Task[None], str] = {}

    async def enter(self, part: AbstractAsyncContextManager[Part]) -> Part:
        """Start a part; it is stopped before those that were entered earlier."""
        return await self._parts.enter_async_context(part)

    def watch(self, task: asyncio.Task[None], name: str) -> None:
        """Stop everything, with an error, when `task` ends by itself."""
        self._watched[task] = name
        task.add_done_callback(lambda _: self._wish.set())

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call `callback` at each wish to stop: the first means soon, the second at once."""
        self._on_stop.append(callback)

    def stop(self) -> None:
        """Ask for the end."""
        self._wish.set()
        for callback in self._on_stop:
            callback()

    async def run(self, start: Callable[[Stack], Awaitable[None]]) -> None:
        """Start, run until the end is asked for, stop. Raises what `start` raises, and StartError."""
        with _signals(self.stop):
            try:
                await self._until_wish(start)
            finally:
                await self._close()

    async def _until_wish(self, start: Callable[[Stack], Awaitable[None]]) -> None:
        starting = asyncio.ensure_future(start(self))
        wish = asyncio.ensure_future(self._wish.wait())
        await asyncio.wait({starting, wish}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        await wish
        self._raise_for_ended_part()

    def _raise_for_ended_part(self) -> None:
        for task, name in self._watched.items():
            if task.done() and not task.cancelled():
                raise StartError(f"the {name} ended by itself") from task.exception()

    async def _close(self) -> None:
        closing = asyncio.ensure_future(self._parts.aclose())
        done, _ = await asyncio.wait({closing}, timeout=self._stop_seconds)
        if done:
            closing.result()
            return
        _log.warning("stopped_the_hard_way", after_seconds=self._stop_seconds)
        ends = time.monotonic() + _CUT_SECONDS
        while not closing.done() and time.monotonic() < ends:
            closing.cancel()  # whatever part it waits for: a child is killed then, and the next part has its turn
            await asyncio.wait({closing}, timeout=_CUT_SECONDS / 10)
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(1)  # threads that wait for a Redis that hangs would be waited for


class _signals:  # noqa: N801 - reads as a function where it is used
    """While inside, SIGINT and SIGTERM call `callback` instead of ending the process.

    Afterwards they do nothing: all is stopped, and one that comes while the interpreter ends is no failure.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._callback)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
