"""One pipeline for all commands that are issued in the same turn of the event loop."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Final

from redis import exceptions as redis_errors
from redis.asyncio import RedisCluster

from loresmith.jobs import lua
from loresmith.jobs.away import is_away
from loresmith.jobs.cluster import Nodes
from loresmith.jobs.connection import Client
from loresmith.jobs.link import Link
from loresmith.jobs.lua import Script
from loresmith.telemetry.instruments import RedisMetrics

_MAX_COMMANDS: Final = 32
_UNDER_WAY: Final = 4

Call = tuple[Sequence[Any], asyncio.Future[Any]]


class Pipeline:
    """Collects the commands of one turn of the loop and sends them in one round trip.

    A few batches are under way at a time, so that Redis works on one while this process makes the next; while all are,
    further commands gather. Nothing is retried here: a caller knows whether its command may be repeated (every script
    may).
    """

    def __init__(self, redis: Client, metrics: RedisMetrics | None = None) -> None:
        self._redis = redis
        self._metrics = metrics
        self.scattered = isinstance(redis, RedisCluster)
        """Whether a batch goes to several nodes, so that its commands run in no particular order."""
        self._link = Nodes(redis) if isinstance(redis, RedisCluster) else Link(redis)
        self._waiting: list[Call] = []
        self._sender: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_UNDER_WAY)
        self._loading = asyncio.Lock()
        self._loaded = False
        self._failures = 0
        self.up_since = time.monotonic()
        """Monotonic time since which every round trip has succeeded."""

    def command(self, *parts: Any) -> asyncio.Future[Any]:
        """Send a command with the next batch; the future has its reply or its error."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((parts, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all(), name="redis-pipeline")
        return future

    def script(self, script: Script, keys: Sequence[Any], args: Sequence[Any]) -> asyncio.Future[Any]:
        """Run a script with the next batch; Redis is given the source when it lacks it."""
        return self.command("EVALSHA", script.sha, len(keys), *keys, *args)

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._room.acquire()
                batch, self._waiting = self._waiting[:_MAX_COMMANDS], self._waiting[_MAX_COMMANDS:]
                task = asyncio.create_task(self._send(batch), name="redis-batch")
                self._under_way.add(task)
                task.add_done_callback(self._came_back)
        finally:
            self._sender = None

    def _came_back(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.release()

    async def _send(self, batch: list[Call]) -> None:
        unknown: list[Call] = []
        for (parts, future), reply in zip(batch, await self._replies(batch), strict=True):
            if isinstance(reply, redis_errors.NoScriptError) and parts[0] == "EVALSHA":
                unknown.append((("EVAL", lua.SOURCES[parts[1]], *parts[2:]), future))
            else:
                resolve(future, reply)
        if unknown:
            self._loaded = False
            await self._send(unknown)

    async def _replies(self, batch: list[Call]) -> Sequence[Any]:
        sent = time.monotonic()
        try:
            replies = await self._exchange([parts for parts, _ in batch])
            if self._metrics is not None:
                self._metrics.took(time.monotonic() - sent)
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:
            replies = [error] * len(batch)
            if is_away(error):
                self._fail_waiting(error)
        if any(isinstance(reply, Exception) and is_away(reply) for reply in replies):
            self.up_since = time.monotonic()
            self._loaded = False
            if self._metrics is not None:
                self._metrics.failed()
        return replies

    def _fail_waiting(self, error: Exception) -> None:
        """Fail what waits behind a batch that Redis did not answer: else each batch of it would wait as long again."""
        waiting, self._waiting = self._waiting, []
        self._failures += 1
        for _, future in waiting:
            resolve(future, error)

    async def _exchange(self, commands: Sequence[Sequence[Any]]) -> Sequence[Any]:
        if not self.scattered:
            failures = self._failures
            async with self._loading:  # also when there is nothing to load: nobody overtakes one who waits here
                if self._failures != failures:
                    raise redis_errors.ConnectionError("Redis did not answer those before")
                await self._load()
        return await self._link.send(commands)

    async def _load(self) -> None:
        """Give Redis every script before the first batch and after an outage.

        Loading one by one, on NOSCRIPT, would run it later than commands that were issued after it. On a Cluster
        nobody counts on that order, and each node is given a script when it lacks it.
        """
        if not self._loaded:
            for source in lua.SOURCES.values():
                await self._redis.script_load(source)
            self._loaded = True

    def was_away(self) -> None:
        """Note that Redis stood still for a while, though every command was answered in the end."""
        self.up_since = time.monotonic()

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._sender is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender
        if self._under_way:
            await asyncio.wait(self._under_way)


def resolve(future: asyncio.Future[Any], reply: Any) -> None:
    """Give a future its reply or its error, unless its waiter is gone."""
    if future.done():
        return
    if isinstance(reply, Exception):
        future.set_exception(reply)
        future.exception()  # whoever awaits it sees it; one who was cancelled meanwhile leaves no warning behind
    else:
        future.set_result(reply)
