"""Listens for cancels of running jobs: a hint that saves up to a second, never the truth."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog
from redis.asyncio import RedisCluster

from loresmith.jobs import keys
from loresmith.jobs.away import is_away
from loresmith.jobs.connection import Client
from loresmith.jobs.run import Run

log = structlog.get_logger(__name__)

_RECONNECT_SECONDS: Final = 1.0


class CancelHints:
    """Makes a run look at its cancel mark as soon as somebody says that it was set."""

    def __init__(self, redis: Client, runs: Mapping[str, Run]) -> None:
        self._redis: Any = redis
        self._runs = runs

    async def listen(self) -> None:
        """Listen until cancelled, over every loss of the connection."""
        while True:
            try:
                if isinstance(self._redis, RedisCluster):
                    await self._redis.initialize()  # its pubsub asks for the node of a slot and knows none before
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(keys.CANCELS)
                    await self._follow(subscription)
            except Exception as error:
                if not is_away(error):
                    log.exception("listening for cancels failed")
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _follow(self, subscription: Any) -> None:
        while True:
            message = await subscription.get_message(timeout=30.0)
            run = self._runs.get(message["data"].decode()) if message else None
            if run is not None:
                await run.look_for_cancel()
