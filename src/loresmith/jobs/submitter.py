"""Writes new jobs into Redis: intents, documents, release."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from loresmith.jobs import keys
from loresmith.jobs.errors import (
    IdempotencyKeyReusedError,
    JobNotFoundError,
    NotReplicatedError,
    QueueFullError,
    StoreUnavailableError,
    SubmitError,
    TooManyActiveJobsError,
)
from loresmith.jobs.gather import Gather
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Intended, Queue
from loresmith.jobs.replicas import Mark, Replicas
from loresmith.jobs.store import END, Created, Store
from loresmith.jobs.submission import NewJob, release_of
from loresmith.jobs.types import Job

_FULL_RETRY_SECONDS: Final = 5
_ROOM: Final = 50_000
"""More jobs than one Redis takes in a second."""
_FRESH_SECONDS: Final = 1.0


class Submitter:
    """Submits jobs; those of one turn of the loop go out together."""

    def __init__(self, pipeline: Pipeline, store: Store, queue: Queue, replicas: Replicas) -> None:
        self._pipeline = pipeline
        self._store = store
        self._queue = queue
        self._replicas = replicas
        self._open = 0
        self._open_seen = float("-inf")
        self._gather: Gather[NewJob, Job] = Gather(self._submit_turn)

    def add(self, new: NewJob) -> asyncio.Future[Job]:
        """Submit a job with the others of this turn."""
        return self._gather.add(new)

    async def add_once(self, new: NewJob, key: str) -> tuple[Job, bool]:
        """Submit a job unless this owner used the key before; return the job and whether it was there.

        Raises IdempotencyKeyReusedError when the key stands for another request. A submit that died between key and
        document is completed under the id that the key remembers.
        """
        mine = msgspec.json.encode([new.job.id, new.fingerprint]).decode()
        stands = await self._store.remember(keys.idempotency(new.submitted.owner, key), mine)
        job_id, fingerprint = msgspec.json.decode(stands, type=tuple[str, str])
        if fingerprint != new.fingerprint:
            raise IdempotencyKeyReusedError(key)
        if stands != mine:
            try:
                job = await self._store.load(job_id)
                await self.confirm(job, delay_seconds=new.delay_seconds)
                return job, True
            except JobNotFoundError:
                new.job.id = new.submitted.root_job_id = job_id
                new.tried = True
        return await self.add(new), False

    async def _submit_turn(self, new: Sequence[NewJob]) -> Sequence[Job]:
        """Submit what was added in one turn: together, or, when that is too much, each for itself."""
        try:
            return await self.submit(new)
        except SubmitError:
            if len(new) == 1:
                raise
            each = await asyncio.gather(*(self.submit([one]) for one in new), return_exceptions=True)
            replies = [reply if isinstance(reply, BaseException) else reply[0] for reply in each]
            return cast("Sequence[Job]", replies)  # whoever added one gets its job or its error

    async def submit(self, new: Sequence[NewJob]) -> Sequence[Job]:
        """Intents, documents, release: in this order a crash at any point heals or leaves nothing.

        On one Redis the three go out together in one round trip, but for those that may have to be turned away.
        """
        left = [one for one in new if not await self._is_written(one)]
        if left:
            await self._write_all(left, bounded=len(left) == len(new))
        for one in new:
            one.tried = True
        await self._replicated([one.job.id for one in new])
        return [one.job for one in new]

    async def _is_written(self, one: NewJob) -> bool:
        """Tell whether an earlier try, whose reply was lost, wrote the document; then make sure of the rest."""
        written = one.tried and await self._store.exist([one.job.id])
        if written:
            await self.make_sure(one.job, delay_seconds=one.delay_seconds)
            indexed = self._index([one], await self._store.clock_ms())
            await asyncio.gather(self._queue.release([one.release]), *indexed)
        return written

    async def confirm(self, job: Job, *, delay_seconds: float = 0.0) -> None:
        """Make sure that a job which is there already is promised as a new one would be."""
        await self.make_sure(job, delay_seconds=delay_seconds)
        await self._replicated([job.id])

    async def make_sure(self, job: Job, *, delay_seconds: float = 0.0) -> None:
        """Give a job whose document is there its place in the queue, if its submit failed between the two.

        One that ended is not given another place: its end would be noted twice. A job that is in the queue is open, and
        one that left it has ended before: looked at in this order, what is neither never was in the queue.
        """
        submitted, _ = await self._store.load_input(job.id)
        release = release_of(job, submitted, delay_seconds=delay_seconds)
        if not await self._queue.is_open(release) and await self._store.lease(job.id) not in (END, ""):
            await asyncio.gather(self._queue.intend([release], bounded=False), self._queue.release([release]))

    async def _write_all(self, new: Sequence[NewJob], *, bounded: bool) -> None:
        try:
            await self._write(new, bounded=bounded)
        except SubmitError:
            raise
        except Exception:
            for one in new:
                one.tried = True
            raise

    async def _write(self, new: Sequence[NewJob], *, bounded: bool) -> None:
        now_ms = await self._store.clock_ms()
        releases = [one.release for one in new]
        bounded = bounded and (self._pipeline.scattered or not self._has_room(new))
        intended = self._queue.intend(releases, bounded=bounded)
        if bounded:  # a document that is taken back again could have been found, and promised, by its key meanwhile
            await self._admit(await intended, new)
        created = [self._store.create(one.job, one.submitted, intent_ms=now_ms, items=one.items) for one in new]
        indexed = self._index(new, now_ms)
        await self._in_order(created)
        released = self._queue.release(releases)
        outcomes = [Created(await future) for future in created]
        self._saw_open((await intended)[1])
        if Created.TOO_LATE in outcomes:
            await self._store.clock_ms(refresh=True)
            raise StoreUnavailableError
        await asyncio.gather(released, *indexed)

    async def _admit(self, intended: Sequence[int], new: Sequence[NewJob]) -> None:
        outcome = Intended(intended[0])
        if outcome is Intended.TAKEN or await self._store.exist([one.job.id for one in new]):
            return  # a document is written after its admission only: this repeats, after a lost reply, what was done
        if outcome is Intended.OWNER_FULL:
            raise TooManyActiveJobsError(retry_after_seconds=_FULL_RETRY_SECONDS)
        raise QueueFullError(retry_after_seconds=_FULL_RETRY_SECONDS)

    def _has_room(self, new: Sequence[NewJob]) -> bool:
        """Tell whether so much room was seen a moment ago that nobody can have filled it since."""
        free = self._queue.limit - self._open
        fresh = time.monotonic() - self._open_seen < _FRESH_SECONDS
        return fresh and free > _ROOM and not any(one.submitted.running_limit for one in new)

    def _saw_open(self, count: int) -> None:
        self._open, self._open_seen = count, time.monotonic()

    async def _in_order(self, futures: Sequence[asyncio.Future[Any]]) -> None:
        """Wait for a step where the next might overtake it; on one node commands run as they were issued."""
        if self._pipeline.scattered:
            await asyncio.wait(futures)

    async def _replicated(self, job_ids: Sequence[str]) -> None:
        """Wait until enough replicas have the jobs and their places in the queue, where that is asked for."""
        if self._replicas.count:
            lifetime = self._store.lifetime_seconds
            marks: list[Mark] = [("SET", self._queue.keys.replicated, "1", "EX", 60)]
            marks += [("EXPIRE", keys.document(job_id), lifetime) for job_id in job_ids]
            if not await self._replicas.have(marks):
                raise NotReplicatedError

    def _index(self, new: Sequence[NewJob], now_ms: int) -> list[asyncio.Future[int]]:
        by_owner: dict[str, list[str]] = {}
        for one in new:
            by_owner.setdefault(one.submitted.owner, []).append(one.job.id)
        return [self._store.index(owner, ids, now_ms=now_ms) for owner, ids in by_owner.items()]
