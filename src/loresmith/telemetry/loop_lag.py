"""Watches how late the event loop comes to what is due."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Final

from loresmith.telemetry.instruments import LoopMetrics

_EVERY_SECONDS: Final = 0.25


@contextlib.asynccontextmanager
async def watching_loop(metrics: LoopMetrics) -> AsyncGenerator[None]:
    """Measure the lag of this event loop while one is inside."""
    task = asyncio.create_task(_measure(metrics), name="loop-lag")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _measure(metrics: LoopMetrics) -> None:
    while True:
        due = time.monotonic() + _EVERY_SECONDS
        await asyncio.sleep(_EVERY_SECONDS)
        metrics.late(max(0.0, time.monotonic() - due))
