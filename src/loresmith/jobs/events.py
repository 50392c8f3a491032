"""Changes of jobs as they happen: one Redis subscription of this process feeds everyone in it who waits for one."""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Final, cast

import msgspec
import structlog
from redis.asyncio import RedisCluster

from loresmith.jobs import keys
from loresmith.jobs.away import is_away
from loresmith.jobs.connection import Client

log = structlog.get_logger(__name__)

_MOST_CHANGES: Final = 32
_RECONNECT_SECONDS: Final = 0.5
_PING_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 15.0


class Change(msgspec.Struct, frozen=True):
    """What one write made of a job: its new document, the items that were finished with it, and whether it stops."""

    job: msgspec.Raw
    items: dict[str, msgspec.Raw]
    cancelling: bool


_decode: Final = msgspec.json.Decoder(Change).decode


class Watch:
    """The changes of one job for one who waits for them.

    `changes` holds those that came since it was emptied. When it is full, or the subscription was lost for a while,
    `missed` is set: whoever waits reads the job anew. Nobody waits for one who is slow.
    """

    __slots__ = ("_waiter", "changes", "closed", "missed")

    def __init__(self) -> None:
        self.changes: deque[Change] = deque()
        self.missed = False
        self.closed = False
        self._waiter: asyncio.Future[None] | None = None

    def put(self, change: Change) -> None:
        """Take a change in."""
        if len(self.changes) >= _MOST_CHANGES:
            self.miss()
        elif not self.missed:
            self.changes.append(change)
            self._wake()

    def miss(self) -> None:
        """Note that changes were lost."""
        self.missed = True
        self.changes.clear()
        self._wake()

    def close(self) -> None:
        """End the wait: the process stops, or the one who waits has gone."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Return when there is something to look at, or after some seconds."""
        if self.changes or self.missed or self.closed or seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


class _Channel:
    """Those who watch one job. `ready` is set once Redis has confirmed the subscription."""

    __slots__ = ("leaving", "ready", "watches")

    def __init__(self) -> None:
        self.watches: set[Watch] = set()
        self.ready = asyncio.Event()
        self.leaving = False


class Events:
    """The subscription of this process; it connects when it is first needed."""

    def __init__(self, redis: Client) -> None:
        self._redis: Any = redis
        self._channels: dict[bytes, _Channel] = {}
        self._connection: Any = None
        self._to_send: dict[bytes, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._needed = asyncio.Event()
        self._heard = time.monotonic()
        self._closed = False

    @contextlib.asynccontextmanager
    async def watching(self, job_id: str, *, patience_seconds: float = 2.0) -> AsyncGenerator[Watch]:
        """Watch a job: what is read of it from now on misses no change that the watch does not get.

        While Redis is away the watch begins all the same, as one that has missed something.
        """
        watch = self.watch(job_id)
        try:
            await self.subscribed(job_id, watch, patience_seconds=patience_seconds)
            yield watch
        finally:
            self.unwatch(job_id, watch)

    def watch(self, job_id: str) -> Watch:
        """Begin to watch a job; the caller ends it with `unwatch`."""
        watch = Watch()
        watch.closed = self._closed
        if not self._tasks and not self._closed:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep())]
        name = keys.events(job_id).encode()
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = _Channel()
            self._send_soon("SUBSCRIBE", name)
        channel.watches.add(watch)
        return watch

    async def subscribed(self, job_id: str, watch: Watch, *, patience_seconds: float) -> None:
        """Return when Redis has confirmed that the changes of a job are sent, or after some seconds."""
        channel = self._channels[keys.events(job_id).encode()]
        if not channel.ready.is_set() and not watch.closed:
            try:
                async with asyncio.timeout(patience_seconds):
                    await channel.ready.wait()
            except TimeoutError:
                watch.miss()

    def unwatch(self, job_id: str, watch: Watch) -> None:
        """End a watch."""
        name = keys.events(job_id).encode()
        channel = self._channels[name]
        channel.watches.discard(watch)
        if not channel.watches:
            self._leave(name, channel)

    def _leave(self, name: bytes, channel: _Channel) -> None:
        """Give a channel up; who comes back before Redis has confirmed it subscribes anew, after that."""
        if self._to_send.get(name) == "SUBSCRIBE":
            del self._to_send[name]
        elif self._connection is not None:
            if not channel.leaving:
                channel.leaving = True
                channel.ready.clear()
                self._send_soon("UNSUBSCRIBE", name)
            return
        del self._channels[name]

    def _send_soon(self, command: str, name: bytes) -> None:
        if not self._to_send:
            asyncio.get_running_loop().call_soon(self._needed.set)
        self._to_send[name] = command

    async def _keep(self) -> None:
        """Send subscriptions, those of one turn together, and now and then a ping.

        The flag ends it, too: `asyncio.wait_for` of Python 3.11, in redis-py, can swallow a cancellation.
        """
        while not self._closed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PING_SECONDS):
                    await self._needed.wait()
            self._needed.clear()
            connection = self._connection
            if connection is None:
                continue
            try:
                await self._send(connection)
            except Exception as error:
                self._lost(error)
                await connection.disconnect(nowait=True)

    async def _send(self, connection: Any) -> None:
        if time.monotonic() - self._heard > _SILENT_SECONDS:
            await connection.disconnect(nowait=True)  # half open: the one who reads finds out
            return
        waiting, self._to_send = self._to_send, {}
        for command in ("SUBSCRIBE", "UNSUBSCRIBE"):
            names = [name for name, what in waiting.items() if what == command]
            if names:
                await connection.send_command(command, *names, check_health=False)
        if not waiting:
            await connection.send_command("PING", check_health=False)

    async def _listen(self) -> None:
        """Read what comes, over every loss of the connection."""
        while True:
            connection: Any = None
            try:
                connection = await self._connect()
                await self._begin(connection)
                while True:
                    self._take(await connection.read_response(timeout=math.inf))
            except Exception as error:
                self._lost(error)
            finally:
                self._connection = None
                if connection is not None:
                    await connection.disconnect(nowait=True)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _connect(self) -> Any:
        """Return a connection outside the pool, in RESP2: there messages are replies, and cost least."""
        if isinstance(self._redis, RedisCluster):
            await self._redis.initialize()
            maker: Any = self._redis.get_random_primary_node()
        else:
            maker = self._redis.connection_pool
        connection = maker.connection_class(**{**maker.connection_kwargs, "protocol": 2})
        await connection.connect()
        return connection

    async def _begin(self, connection: Any) -> None:
        """Subscribe to all that is watched; who watched before has missed something."""
        self._heard = time.monotonic()
        self._to_send.clear()
        for name, channel in list(self._channels.items()):
            if channel.watches:
                self._to_send[name] = "SUBSCRIBE"
                channel.leaving = False
            else:
                del self._channels[name]
        self._connection = connection
        self._needed.set()

    def _take(self, reply: Any) -> None:
        self._heard = time.monotonic()
        if not isinstance(reply, list):
            return
        kind, name, *rest = cast("list[Any]", reply)
        channel = self._channels.get(name)
        if channel is None:
            return
        if kind == b"message":
            change = _decode(rest[0])
            for watch in channel.watches:
                watch.put(change)
        elif kind == b"subscribe" and not channel.leaving:
            channel.ready.set()
        elif kind == b"unsubscribe":
            self._left(name, channel)

    def _left(self, name: bytes, channel: _Channel) -> None:
        channel.leaving = False
        if channel.watches:
            self._send_soon("SUBSCRIBE", name)
        else:
            del self._channels[name]

    def _lost(self, error: Exception) -> None:
        if not is_away(error):
            log.error("listening for changes of jobs failed", exc_info=error)
        for channel in self._channels.values():
            channel.ready.clear()
            for watch in channel.watches:
                watch.miss()

    def release(self) -> None:
        """Let everyone who waits go, now and from now on."""
        self._closed = True
        for watch in self._all():
            watch.close()

    def _all(self) -> Iterable[Watch]:
        return [watch for channel in self._channels.values() for watch in channel.watches]

    async def close(self) -> None:
        """Let everyone go and end the subscription."""
        self.release()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
