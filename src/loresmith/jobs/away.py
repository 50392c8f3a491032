"""Whether Redis is away, and how to wait until it is back."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from redis import exceptions as redis_errors

T = TypeVar("T")

_AWAY: Final = (
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    redis_errors.BusyLoadingError,
    redis_errors.ReadOnlyError,
    redis_errors.OutOfMemoryError,
    redis_errors.ClusterError,
    redis_errors.RedisClusterException,  # no node can be reached, or slots have no node for now
    redis_errors.MasterDownError,
    redis_errors.TryAgainError,
    OSError,
)
_AWAY_PREFIXES: Final = (
    "NOREPLICAS",
    "MISCONF",
    "UNKILLABLE",
    "BUSY ",
    "LOADING",
    "READONLY",
    "OOM",
)


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that Redis cannot take this command now but may later."""
    if isinstance(error, _AWAY):
        return True
    return isinstance(error, redis_errors.ResponseError) and str(error).startswith(_AWAY_PREFIXES)


async def until_back(call: Callable[[], Awaitable[T]], *, give_up: float | None = None) -> T:
    """Repeat a call while Redis is away, with growing pauses; for calls that may be repeated.

    With `give_up` (seconds) the last error is raised once that time is over.
    """
    started, pause = time.monotonic(), 0.05
    while True:
        try:
            return await call()
        except Exception as error:
            if not is_away(error):
                raise
            if give_up is not None and time.monotonic() - started + pause > give_up:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, 1.0)
