"""The nodes of a Cluster, as a batch of commands goes to them."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import RedisCluster

from loresmith.jobs.away import is_away

_SCRIPTED: Final = ("EVALSHA", "EVAL")
_KEYLESS: Final = ("TIME", "PING")


class Nodes:
    """Sends each node its own part of a batch; a node that is away fails its part alone.

    redis-py's own pipeline fails as a whole then, and closes the connections of all nodes. After a failure the map of
    slots is read again, since another node may have taken over.
    """

    def __init__(self, cluster: RedisCluster) -> None:
        self._cluster: Any = cluster
        self._failed: str | None = None
        """The node that failed last, '' for one unknown; None while all is well."""

    async def send(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the reply or the error of each command."""
        await self._look_around()
        placed = [(index, self._node_of(command)) for index, command in enumerate(commands)]
        replies: list[Any] = [None] * len(commands)
        parts: dict[Any, list[int]] = {}
        for index, node in placed:
            if isinstance(node, Exception):
                replies[index] = node
            else:
                parts.setdefault(node, []).append(index)
        sent = [self._send(node, [commands[index] for index in indexes]) for node, indexes in parts.items()]
        for indexes, found in zip(parts.values(), await asyncio.gather(*sent), strict=True):
            for index, reply in zip(indexes, found, strict=True):
                replies[index] = reply
        return replies

    async def _look_around(self) -> None:
        await self._cluster.initialize()
        if self._failed is not None:
            await self._cluster.nodes_manager.initialize(last_failed_node_name=self._failed)
            self._failed = None

    def _node_of(self, command: Sequence[Any]) -> Any:
        try:
            if command[0] in _KEYLESS:
                return self._cluster.get_random_primary_node()
            return self._cluster.get_node_from_key(command[3 if command[0] in _SCRIPTED else 1])
        except Exception as error:
            self._failed = ""
            return error

    async def _send(self, node: Any, commands: Sequence[Sequence[Any]]) -> Sequence[Any]:
        pipeline = self._cluster.pipeline()
        for command in commands:
            pipeline.execute_command(*command, target_nodes=node)
        try:
            replies: Sequence[Any] = await pipeline.execute(raise_on_error=False)
        except Exception as error:
            replies = list(itertools.repeat(error, len(commands)))
        if any(isinstance(reply, Exception) and is_away(reply) for reply in replies):
            self._failed = node.name
        return replies
