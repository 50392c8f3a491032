"""The clients of a soak: they keep so many jobs in flight, and do everything to them that the API offers."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final

from loresmith.client import AsyncJobsClient, ConflictError, Job, NotFoundError, WaitTimeoutError, calls
from loresmith.client.calls import Submission
from loresmith.jobs import keys
from tests.chaos.ledger import Ledger
from tests.soak.knowledge import Knowledge
from tests.soak.orders import Orders
from tests.waiting import wait_until

STREAMS: Final = 20
_LOOK: Final = 100
_BATCH: Final = 25
_TURN_SECONDS: Final = 0.25
_POLL_SECONDS: Final = 4.0
_DRAIN_SECONDS: Final = 120.0


class Clients:
    """Submit, poll, stream, cancel, retry, submit again and delete, and note what they were answered."""

    def __init__(self, url: str, redis: Any, ledger: Ledger, *, in_flight: int, seed: str) -> None:
        self.knowledge = Knowledge()
        self.streams = 0
        self._client = AsyncJobsClient(url)
        self._redis = redis
        self._ledger = ledger
        self._in_flight = in_flight
        self._orders = Orders(seed)
        self._pick = random.Random(seed)
        self._seed = seed
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Act until `stop`, and then on until every job has ended."""
        acts: Sequence[tuple[Callable[[], Awaitable[None]], float]] = (
            (self._fill, _TURN_SECONDS),
            (self._once, 1.0),
            (self._cancel, 1.5),
            (self._retry, 2.0),
            *((self._stream, 0.5) for _ in range(STREAMS)),
        )
        async with self._client, asyncio.TaskGroup() as group:
            polling = group.create_task(self._repeated(self._poll, _TURN_SECONDS, stops=False))
            deleting = group.create_task(self._repeated(self._delete, 1.0, stops=False))
            group.create_task(self._drained(polling, deleting))
            for act, pause in acts:
                group.create_task(self._repeated(act, pause))

    def stop(self) -> None:
        """Submit no more."""
        self._stopping.set()

    async def _drained(self, *rest: asyncio.Task[None]) -> None:
        """Let jobs end by themselves for a time, cancel the rest, and wait for their ends."""
        await self._stopping.wait()
        with suppress(TimeoutError):
            await wait_until(lambda: not self.knowledge.open, seconds=_DRAIN_SECONDS)
        for job_id in list(self.knowledge.open):
            job = await self._client.cancel(job_id)
            self._ledger.note("cancel", job_id, state=job.state, done=job.done)
        with suppress(TimeoutError):  # the checks say which jobs have not ended
            await wait_until(lambda: not self.knowledge.open, seconds=_DRAIN_SECONDS)
        for task in rest:
            task.cancel()

    async def _repeated(self, act: Callable[[], Awaitable[None]], pause: float, *, stops: bool = True) -> None:
        while not (stops and self._stopping.is_set()):
            try:
                await act()
            except NotFoundError as error:
                self._ledger.note("missing", error.problem.detail, act=act.__name__)
            except Exception as error:
                self._ledger.note("surprise", act=act.__name__, error=repr(error), trace=traceback.format_exc())
            await asyncio.sleep(pause * self._pick.uniform(0.5, 1.5) if stops else pause)

    async def _fill(self) -> None:
        """Bring the jobs in flight up to what is wanted, in batches and one by one."""
        lacking = self._in_flight - await self._redis.zcard(keys.QueueKeys("default").open)
        while lacking > 0 and not self._stopping.is_set():
            orders = [self._orders.make() for _ in range(min(lacking, self._pick.randint(1, _BATCH)))]
            if len(orders) > 1:
                jobs = [handle.snapshot for handle in await self._client.submit_batch(orders)]
            else:
                jobs = [await self._submit(orders[0])]
            for job, order in zip(jobs, orders, strict=True):
                self._accepted(job, order)
            lacking -= len(orders)

    async def _submit(self, order: Submission, key: str | None = None) -> Job:
        return await self._client.call(calls.submit(order, key=key))

    async def _once(self) -> None:
        """Submit under one key twice at once, and again later: it is one job."""
        key = f"{self._seed}-{self._pick.getrandbits(64):x}"
        order = self._orders.make(key)
        jobs = list(await asyncio.gather(*(self._submit(order, key) for _ in range(2))))
        self._accepted(jobs[0], order)
        await asyncio.sleep(self._pick.uniform(0.0, 5.0))
        jobs.append(await self._submit(order, key))
        self._ledger.note("key", key=key, jobs=[job.id for job in jobs])

    def _accepted(self, job: Job, order: Submission | None) -> None:
        if self.knowledge.accepted(job, order.payload.get("count") if order else None):
            self._ledger.note("accepted", job.id, type=job.type, retry_of=job.retry_of)

    async def _poll(self) -> None:
        """Look at every open job once in some seconds, a hundred with a request."""
        ids = list(self.knowledge.open)
        pause = _POLL_SECONDS / max(1, len(ids) / _LOOK)
        for start in range(0, len(ids), _LOOK):
            found = await self._client.get_many(ids[start : start + _LOOK])
            for job in found.jobs:
                self.knowledge.look(job)
            for job_id in found.missing:
                self.knowledge.open.pop(job_id, None)
                self._ledger.note("missing", job_id, act="_poll")
            await asyncio.sleep(min(pause, 1.0))

    async def _cancel(self) -> None:
        if self.knowledge.open:
            job_id = self._pick.choice(list(self.knowledge.open)[: self._in_flight // 4])  # the oldest, soon to run
            job = await self._client.cancel(job_id)
            self._ledger.note("cancel", job_id, state=job.state, done=job.done)

    async def _retry(self) -> None:
        """Retry a job that failed or was cancelled, with one click or two."""
        if not self.knowledge.failed:
            return
        job_id = self._pick.choice(self.knowledge.failed)
        self.knowledge.failed.remove(job_id)
        clicks = [self._client.retry(job_id) for _ in range(self._pick.randint(1, 2))]
        retried: set[str] = set()
        for reply in await asyncio.gather(*clicks, return_exceptions=True):
            match reply:
                case Job():
                    retried.add(reply.id)
                    self._accepted(reply, None)
                case ConflictError():
                    self._ledger.note("not_retried", job_id)
                case NotFoundError() if job_id not in self.knowledge.ended:
                    self._ledger.note("not_retried", job_id, why="deleted meanwhile")
                case _:
                    raise reply
        self._ledger.note("key", key=f"retry of {job_id}", jobs=sorted(retried))

    async def _stream(self) -> None:
        """Listen to a job for a while, and hang up in the middle if it has not ended."""
        if not self.knowledge.open:
            return
        job_id = self._pick.choice(list(self.knowledge.open)[: self._in_flight // 4])
        self.streams += 1
        try:
            async with aclosing(self._client.stream(job_id, timeout_seconds=self._pick.uniform(0.5, 15.0))) as updates:
                async for update in updates:
                    self.knowledge.look(update.job)
        except WaitTimeoutError:
            return

    async def _delete(self) -> None:
        for job_id in self.knowledge.too_old():
            await self._client.delete(job_id)
