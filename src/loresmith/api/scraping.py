"""What Prometheus is shown of a process; the queue is counted for it on the spot."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from loresmith.jobs import StoreUnavailableError
from loresmith.telemetry.metrics import Metrics
from loresmith.telemetry.queue_metrics import QueueCounts

Counts = Callable[[], Awaitable[QueueCounts]]
_PATIENCE_SECONDS: Final = 3.0


async def scraped(request: Request, metrics: Metrics, counts: Counts | None) -> Response:
    """Return the metrics; while the queue cannot be counted, those of the queue are left out."""
    if counts is not None:
        metrics.queue.show(await _counted(counts))
    body, media_type = metrics.page(request.headers.get("accept", ""))
    return Response(body, 200, {"Cache-Control": "no-store", "Content-Type": media_type})


async def _counted(counts: Counts) -> QueueCounts | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await counts()
    except (StoreUnavailableError, TimeoutError):
        return None
