"""The parts of a worker process that tell receivers, here with a sender of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from loresmith.bootstrap import build_deliveries, build_webhook_feed, build_webhook_worker, connect
from loresmith.jobs import InternalView, Options
from loresmith.webhooks import Sender, Subscription
from loresmith.webhooks.subscription import delivery_id
from tests.waiting import wait_until

SCHEDULED = "queue:{webhooks}:scheduled"


@contextlib.asynccontextmanager
async def telling(url: str, sender: Sender, *, secrets: Sequence[str], root_path: str = "") -> AsyncGenerator[None]:
    """Make deliveries of ended jobs, and deliver them, while one is inside."""
    redis: Any
    async with connect(url) as redis:
        feed = build_webhook_feed(url, redis)
        worker = build_webhook_worker(
            url, redis, secrets=secrets, sender=sender, root_path=root_path, lease_seconds=2.0, grace_seconds=0.0
        )
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(worker.run())]
        try:
            yield
        finally:
            feed.stop()
            worker.stop()
            worker.stop()
            await asyncio.wait(tasks)
            for task in tasks:
                task.result()


def telling_options(url: str, *events: str, **options: Any) -> Options:
    """Options of a job that tells a receiver of these ends, or of all."""
    subscription = Subscription(url, events) if events else Subscription(url)
    return Options(attached=subscription.attached, **options)


async def delivery_of(redis: Any, job_id: str, event: str) -> InternalView | None:
    return await build_deliveries(redis).find(delivery_id(job_id, event))


async def delivery_ended(redis: Any, job_id: str, event: str) -> InternalView:
    """Return a delivery once it is not tried any more."""

    async def ended() -> InternalView | None:
        view = await delivery_of(redis, job_id, event)
        return view if view is not None and view.job.done else None

    view = await wait_until(ended)
    assert view is not None
    return view


async def next_wait(redis: Any, job_id: str, event: str, attempt: int) -> float:
    """Return the seconds until the next try, number `attempt`, once the one before has failed."""

    async def waits() -> InternalView | None:
        view = await delivery_of(redis, job_id, event)
        return view if view is not None and view.job.attempt == attempt and view.due_ms is not None else None

    view = await wait_until(waits)
    seconds, micros = await redis.time()
    assert view is not None
    assert view.due_ms is not None
    return view.due_ms / 1000 - seconds - micros / 1e6


async def make_due(redis: Any) -> None:
    """Let the waits of all tries be over."""
    for member in await redis.zrange(SCHEDULED, 0, -1):
        await redis.zadd(SCHEDULED, {member: 0}, xx=True)
