"""Keeps a child process running, with a growing pause between starts that fail, and ends it for sure."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

_FIRST_BACKOFF_SECONDS: Final = 0.1
_LONGEST_BACKOFF_SECONDS: Final = 5.0
_STEADY_SECONDS: Final = 10.0
"""A child that ran for so long had started well: the next pause is short again."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def keep_running(
    name: str,
    *,
    ended: Callable[[], Awaitable[int | None]],
    start: Callable[[], Awaitable[None]],
    failure: type[Exception],
) -> None:
    """Start a child again whenever it has `ended`, until cancelled.

    `ended` waits for the end of the running child and returns its exit code; `start` raises `failure` or OSError when
    it could not, which is tried again.
    """
    clock = asyncio.get_running_loop().time
    backoff, started = _FIRST_BACKOFF_SECONDS, clock()
    while True:
        code = await ended()
        if clock() - started > _STEADY_SECONDS:
            backoff = _FIRST_BACKOFF_SECONDS
        _log.warning(f"embedded_{name}_died", exit_code=code, restart_in_seconds=backoff)
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
        started = clock()
        try:
            await start()
        except (failure, OSError) as error:
            _log.error(f"embedded_{name}_restart_failed", error=str(error))
        else:
            _log.info(f"embedded_{name}_restarted")


async def cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and return when it is over."""
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def end(process: asyncio.subprocess.Process | None, *, seconds: float, kill: Callable[[int], None]) -> None:
    """Terminate a child; after so many seconds, or when this is cut short, `kill` it: one that is frozen would stay."""
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            kill(process.pid)
        if not isinstance(error, TimeoutError):
            raise
        await process.wait()
