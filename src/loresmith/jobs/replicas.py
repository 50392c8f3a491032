"""Waits until replicas of Redis have what was written, where that is asked for (WAIT)."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import RedisCluster

from loresmith.jobs.connection import Client

_WAIT_MS: Final = 1_000

Mark = tuple[str | int, ...]
"""A harmless write, as a command whose second part is its key."""


class Replicas:
    """Tells whether `count` replicas of each node concerned have what was written to it.

    WAIT counts what its own connection has written. So it follows a harmless write on that connection: a replica that
    has this one has all that came before, from whichever connection. It is not sent with the batches of the pipeline,
    which a replica that lags would hold up.
    """

    def __init__(self, redis: Client, count: int) -> None:
        self._redis: Any = redis
        self.count = count

    async def have(self, marks: Sequence[Mark]) -> bool:
        """Write the marks and wait, for a second at the most, until enough replicas have them."""
        if not isinstance(self._redis, RedisCluster):
            return await self._acknowledged(marks[:1], {})
        by_node: dict[Any, list[Mark]] = {}
        for mark in marks:
            by_node.setdefault(self._redis.get_node_from_key(str(mark[1])), []).append(mark)
        waits = [self._acknowledged(own[:1], {"target_nodes": node}) for node, own in by_node.items()]
        return all(await asyncio.gather(*waits))

    async def _acknowledged(self, marks: Sequence[Mark], options: dict[str, Any]) -> bool:
        pipeline: Any = self._redis.pipeline(transaction=False)
        for command in (*marks, ("WAIT", self.count, _WAIT_MS)):
            pipeline.execute_command(*command, **options)
        replies: list[Any] = await pipeline.execute()
        return replies[-1] >= self.count
