"""Writes new jobs into Redis: intents, documents, release."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from loresmith.jobs import keys
from loresmith.jobs.census import Census
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
from loresmith.jobs.observer import Observer
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
_LOOKS: Final = 3
"""How often a key is looked at whose job is deleted at the same time."""


class Submitter:
    """Submits jobs; those of one turn of the loop go out together."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        queue: Queue,
        replicas: Replicas,
        observer: Observer,
        census: Census,
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._queue = queue
        self._replicas = replicas
        self._observer = observer
        self._census = census
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
        remembered = keys.idempotency(new.submitted.owner, key)
        new.submitted.idempotency = remembered
        mine = _note([new])
        for _ in range(_LOOKS):
            stands = await self._store.remember(remembered, mine)
            if stands == mine:
                break
            [job_id] = _ids_of(stands, [new], key)
            try:
                job = await self._store.load(job_id)
                await self.confirm(job, delay_seconds=new.delay_seconds)
                return job, True
            except JobNotFoundError:  # its submit died half way, or it was deleted, with its key
                if await self._store.remembered(remembered) == stands:
                    _take_over([new], [job_id])
                    break
        return await self.add(new), False

    async def submit_once(self, new: Sequence[NewJob], key: str) -> tuple[Sequence[Job], bool]:
        """Do as `add_once` for several jobs that are created together or not at all."""
        remembered = keys.idempotency(new[0].submitted.owner, key)
        for one in new:
            one.submitted.idempotency = remembered
        mine = _note(new)
        stands = await self._store.remember(remembered, mine)
        if stands == mine:
            return await self.submit(new), False
        job_ids = _ids_of(stands, new, key)
        if await self._store.exist(job_ids):
            jobs = await asyncio.gather(*(self._store.load(job_id) for job_id in job_ids))
            for job, one in zip(jobs, new, strict=True):
                await self.confirm(job, delay_seconds=one.delay_seconds)
            return jobs, True
        _take_over(new, job_ids)
        return await self.submit(new), False

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
            self._observer.submitted(new)
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
        asking = [one for one in new if one.wants_place]
        placed = self._census.places([one.due_ms for one in asking]) if asking else None
        outcomes = [Created(await future) for future in created]
        self._saw_open((await intended)[1])
        if Created.TOO_LATE in outcomes:
            await self._store.clock_ms(refresh=True)
            raise StoreUnavailableError
        await asyncio.gather(released, *indexed)
        if placed is not None:
            for one, place in zip(asking, await placed, strict=True):
                one.place = place

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
        listed = [one for one in new if not one.job.internal]
        by_owner: dict[str, list[str]] = {keys.everybodys(): [one.job.id for one in listed]} if listed else {}
        for one in listed:
            by_owner.setdefault(keys.owned(one.submitted.owner), []).append(one.job.id)
        return [self._store.index(index, ids, now_ms=now_ms) for index, ids in by_owner.items()]


def _note(new: Sequence[NewJob]) -> str:
    """Return what an idempotency key remembers: the ids, and the fingerprint of the request."""
    fingerprint = new[0].fingerprint if len(new) == 1 else ",".join(one.fingerprint for one in new)
    return msgspec.json.encode([[one.job.id for one in new], fingerprint]).decode()


def _ids_of(note: str, new: Sequence[NewJob], key: str) -> list[str]:
    """Return the ids that a key stands for. Raises IdempotencyKeyReusedError when it stands for another request."""
    job_ids, fingerprint = msgspec.json.decode(note, type=tuple[list[str], str])
    if fingerprint != msgspec.json.decode(_note(new), type=tuple[list[str], str])[1]:
        raise IdempotencyKeyReusedError(key)
    return job_ids


def _take_over(new: Sequence[NewJob], job_ids: Sequence[str]) -> None:
    """Complete a submit that died between key and document, under the ids that the key remembers."""
    for one, job_id in zip(new, job_ids, strict=True):
        one.job.id = one.submitted.root_job_id = job_id
        one.tried = True
