"""Waiting for a condition instead of for time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")


async def wait_until(condition: Callable[[], T | Awaitable[T]], *, seconds: float = 60.0) -> T:
    """Return the first truthy value of `condition`. Raises TimeoutError that shows the last one."""
    ends = time.monotonic() + seconds
    while True:
        found = condition()
        value = cast("T", await found if inspect.isawaitable(found) else found)
        if value:
            return value
        if time.monotonic() > ends:
            raise TimeoutError(f"still {value!r} after {seconds} s")
        await asyncio.sleep(0.01)
