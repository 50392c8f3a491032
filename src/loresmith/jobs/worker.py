"""A worker: claims jobs, runs many at once in one event loop, and drains on request."""

import asyncio
import os
import platform
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

import structlog

from loresmith.jobs.away import is_away
from loresmith.jobs.backoff import DEFAULT_PACING, Pacing
from loresmith.jobs.claim import Claim
from loresmith.jobs.connection import Connections
from loresmith.jobs.executor import Executor
from loresmith.jobs.heartbeat import Heartbeat
from loresmith.jobs.hints import CancelHints
from loresmith.jobs.inspector import Inspector
from loresmith.jobs.keeper import LeaseKeeper
from loresmith.jobs.observer import Observer
from loresmith.jobs.outcomes import Classify
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.profiles import Profiles
from loresmith.jobs.progress import TICK_SECONDS
from loresmith.jobs.queue import ENDED_LENGTH, Queue
from loresmith.jobs.registry import JobRegistry
from loresmith.jobs.rescuer import Rescuer
from loresmith.jobs.store import Store
from loresmith.jobs.writer import Writer

log = structlog.get_logger(__name__)

T = TypeVar("T")

_WAIT_SECONDS: Final = 2.0
_MOMENT_SECONDS: Final = 0.002
_DUE_SECONDS: Final = 0.5
_INSPECT_SECONDS: Final = 60.0


def worker_name() -> str:
    """Return a name that no other process, and no other start of this one, has."""
    host = "".join(c for c in platform.node() if c.isalnum() or c in "-.") or "host"
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


class Worker:
    """Runs up to `concurrency` jobs of one queue at once; the last `ended_length` ends stay to be followed."""

    _rescue_due = False
    """Whether the last sweep found no slot free."""
    _freed_at = 0.0
    """Monotonic time at which a slot got free last."""

    def __init__(
        self,
        *,
        connections: Connections,
        queue: str = "default",
        registry: JobRegistry,
        resources: Mapping[type, object],
        classify: Classify = lambda _: None,
        concurrency: int = 10,
        lease_seconds: float = 10.0,
        grace_seconds: float = 30.0,
        linger_seconds: float = 30.0,
        observer: Observer | None = None,
        ended_length: int = ENDED_LENGTH,
        pacing: Pacing = DEFAULT_PACING,
    ) -> None:
        self.name = worker_name()
        self.concurrency = concurrency
        self.grace_seconds = grace_seconds
        """How long running jobs may finish once the worker is told to stop."""
        self.linger_seconds = linger_seconds
        """How long, after that, results are still written and jobs handed back while Redis is away."""
        self.last_look = time.monotonic()
        """Monotonic time of the last look at the queue that Redis answered: liveness."""
        self._redis = connections.client()
        observer = observer or Observer(queue)
        self._pipeline = Pipeline(self._redis, observer.metrics.redis)
        self._queue = Queue(self._pipeline, queue, ended_length=ended_length)
        self._lease_seconds = lease_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._filling = asyncio.Lock()
        """Held from the count of the free slots until they are filled."""
        self._under_way: set[asyncio.Task[Any]] = set()
        """Claims and sweeps."""
        self._stopping, self._halted = asyncio.Event(), asyncio.Event()
        store = Store(self._pipeline)
        self._writer = Writer()
        self._executor = Executor(
            store=store,
            queue=self._queue,
            registry=registry,
            worker=self.name,
            resources=resources,
            classify=classify,
            wake=self._writer.wake,
            lease_seconds=lease_seconds,
            observer=observer,
            profiles=Profiles(self._pipeline),
            pacing=pacing,
        )
        self._writer.abandon = self._executor.abandon
        runs = self._writer.runs = self._executor.runs
        self._rescuer = Rescuer(self._queue, self._pipeline, runs, consumer=self.name, lease_seconds=lease_seconds)
        self._keeper = LeaseKeeper(connections, self._queue.keys, runs, consumer=self.name, lease_seconds=lease_seconds)
        self._inspector = Inspector(store, self._queue, observer=observer)
        self._hints = CancelHints(self._redis, runs)
        self._heartbeat = Heartbeat(
            self._pipeline, self.name, queue=queue, concurrency=concurrency, running=runs, registry=registry
        )

    async def run(self) -> None:
        """Work until `stop` is called, then drain: finish for the grace period, hand the rest back."""
        beat = self._lease_seconds / 4
        self._keeper.start()
        loops = [
            asyncio.create_task(self._every(TICK_SECONDS, self._writer.tick)),
            asyncio.create_task(self._every(beat, self._rescue)),
            asyncio.create_task(self._every(beat, self._heartbeat.beat)),
            asyncio.create_task(self._every(_DUE_SECONDS, self._release_due)),
            asyncio.create_task(self._every(_INSPECT_SECONDS, self._inspector.inspect)),
            asyncio.create_task(self._hints.listen()),
        ]
        claiming = asyncio.create_task(self._claim_until_stopped())
        await self._stopping.wait()
        await _cancelled([claiming])
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._drain()
        await _cancelled(loops)
        await self._keeper.stop()
        await self._leave()

    async def _leave(self) -> None:
        try:
            await self._queue.leave(self.name)
            await self._heartbeat.leave()
        except Exception as error:
            if not is_away(error):
                raise
        await self._pipeline.close()
        await self._redis.aclose()

    def stuck_seconds(self) -> float:
        """Return for how long jobs could have been claimed and were not looked for, though Redis answered."""
        if self._stopping.is_set() or self._free <= 0:
            return 0.0
        return time.monotonic() - max(self.last_look, self._pipeline.up_since, self._freed_at)

    def stop(self) -> None:
        """Stop claiming and drain; a second call hands everything back at once."""
        if self._stopping.is_set():
            self._halted.set()
        self._stopping.set()

    async def _claim_until_stopped(self) -> None:
        while True:
            try:
                await self._claim()
            except Exception as error:
                if not is_away(error):
                    log.exception("claiming failed")
                await asyncio.sleep(0.25)

    async def _claim(self) -> None:
        if self._free <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        if self._free < self.concurrency // 4:  # at this load the next slots get free in a moment: one look for all
            await asyncio.sleep(_MOMENT_SECONDS)
        if self._rescue_due:  # else a backlog would take each slot that gets free, and the silent be left for ever
            await self._rescue()
        if last_ids := await self._unbroken(self._fetch()):
            await self._queue.wait(self._redis, last_ids, seconds=_WAIT_SECONDS)

    async def _unbroken(self, filling: Coroutine[Any, Any, T]) -> T:
        """Do what must not be cancelled half way: what Redis hands out would lie with nobody for a lease."""
        task = asyncio.create_task(filling)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _fetch(self) -> Sequence[bytes]:
        """Claim what there are free slots for and begin it; return where to wait when nothing was there."""
        async with self._filling:
            if self._stopping.is_set() or self._free <= 0:
                return ()
            claimed = await self._queue.claim(self.name, self._free)
            self.last_look = time.monotonic()
            for claim in claimed.claims:
                self._begin(claim)
        return () if claimed.claims else claimed.last_ids

    @property
    def _free(self) -> int:
        return self.concurrency - len(self._tasks)

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._executor.execute(claim))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._freed_at = time.monotonic()
        self._freed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("executor failed", exc_info=error)

    async def _rescue(self) -> None:
        await self._unbroken(self._sweep())

    async def _sweep(self) -> None:
        async with self._filling:
            self._rescue_due = self._free <= 0
            if self._stopping.is_set() or self._rescue_due:
                return
            for claim in await self._rescuer.rescue(self._free):
                self._begin(claim)

    async def _release_due(self) -> None:
        while await self._queue.release_due() > 0:
            pass

    async def _drain(self) -> None:
        if self._tasks:
            halted = asyncio.create_task(self._halted.wait())
            done = asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.wait({halted, done}, timeout=self.grace_seconds, return_when=asyncio.FIRST_COMPLETED)
            halted.cancel()
        ends = time.monotonic() + self.linger_seconds
        while self._tasks and time.monotonic() < ends:
            self._writer.hand_back()
            await asyncio.wait(self._tasks, timeout=0.2)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.5)

    async def _every(self, seconds: float, action: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await action()
            except Exception as error:
                if not is_away(error):
                    log.exception("loop failed", loop=action.__qualname__)
            await asyncio.sleep(seconds)


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for them.

    Again and again: `asyncio.wait_for` of Python 3.11, which redis-py uses while it connects, loses a cancel that
    comes in the turn in which what it waits for is done (python/cpython#86296).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)
