"""The life of jobs as their submitters see it: create, read, follow, cancel, retry, delete."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from loresmith.jobs import keys
from loresmith.jobs.away import is_away, until_back
from loresmith.jobs.census import Census
from loresmith.jobs.connection import Client
from loresmith.jobs.errors import (
    JobNotFoundError,
    NotEndedError,
    NotRetryableError,
    StoreUnavailableError,
)
from loresmith.jobs.events import Events
from loresmith.jobs.following import JobFollower
from loresmith.jobs.observer import Observer
from loresmith.jobs.outcomes import Cancelled, end_document
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.reader import JobPage, Listing, Reader, known_id
from loresmith.jobs.registry import JobRegistry
from loresmith.jobs.removal import remove
from loresmith.jobs.replicas import Replicas
from loresmith.jobs.stats import Figures, Stats
from loresmith.jobs.store import END, Store, Written
from loresmith.jobs.submission import DEFAULTS, NewJob, Options, prepare, prepare_all, prepare_retry, release_of
from loresmith.jobs.submitter import Submitter
from loresmith.jobs.turns import Turns
from loresmith.jobs.types import Job, Status, ms_of, timestamp
from loresmith.jobs.view import JobView
from loresmith.telemetry.queue_metrics import QueueCounts

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 1.5


class JobManager:
    """Creates jobs and answers for them; any number of processes may have one.

    Where a call takes an `owner`, somebody else's job is not found; None stands for one who may see everybody's.
    `limit` bounds the open jobs of the queue, `owner_limit` those of an owner with a running limit. With `replicas`, a
    submit answers only when so many replicas of Redis have it (WAIT); when they do not within a second it raises
    NotReplicatedError, and the job exists all the same.
    """

    def __init__(
        self,
        *,
        redis: Client,
        registry: JobRegistry,
        queue: str = "default",
        limit: int = 100_000,
        owner_limit: int = 1_000,
        replicas: int = 0,
        observer: Observer | None = None,
    ) -> None:
        self.registry = registry
        self.turns = Turns()
        self._observer = observer or Observer(queue)
        self._pipeline = Pipeline(redis, self._observer.metrics.redis)
        self._store = Store(self._pipeline)
        self._queue = Queue(self._pipeline, queue, limit=limit, owner_limit=owner_limit)
        census, waited_for = Census(self._pipeline, self._queue.keys), Replicas(redis, replicas)
        self._submitter = Submitter(self._pipeline, self._store, self._queue, waited_for, self._observer, census)
        self._reader = Reader(self._store, census)
        self._stats = Stats(self._pipeline, census, registry)
        self._events = Events(redis)

    async def create(self, type_name: str, payload: object, options: Options = DEFAULTS) -> Job:
        """Validate a submission, store it, release it to the workers, and return the new job.

        Raises UnknownJobTypeError, InvalidPayloadError, QueueFullError, TooManyActiveJobsError, after which no job
        exists, and StoreUnavailableError.
        """
        new = prepare(self.registry.get(type_name), payload, options)
        return await self._submit([new], lambda: self._submitter.add(new))

    async def create_once(
        self, type_name: str, payload: object, options: Options = DEFAULTS, *, key: str
    ) -> tuple[Job, bool]:
        """Do as `create` unless the owner used `key` before; return the job and whether it was there already.

        Raises IdempotencyKeyReusedError too, when the key stands for another request.
        """
        new = prepare(self.registry.get(type_name), payload, options)
        return await self._submit([new], lambda: self._submitter.add_once(new, key))

    async def submit(
        self, type_name: str, payload: object, options: Options = DEFAULTS, *, key: str | None = None
    ) -> tuple[JobView, bool]:
        """Do as `create`, or with a `key` as `create_once`; return the job as clients see it, with its place.

        A new job is not read again, and its place is found on the way of its submit.
        """
        new = prepare(self.registry.get(type_name), payload, options)
        new.wants_place = True
        job, replayed = await self._submit([new], lambda: self._add(new, key))
        view = JobView.of_new(job)
        if replayed:
            with contextlib.suppress(JobNotFoundError):  # deleted in between: as it was found
                view = await self.view(job.id)
        else:
            view.position = new.place
        await self.place(view)
        return view, replayed

    async def _add(self, new: NewJob, key: str | None) -> tuple[Job, bool]:
        return (await self._submitter.add(new), False) if key is None else await self._submitter.add_once(new, key)

    async def create_all(self, submissions: Sequence[tuple[str, object, Options]]) -> Sequence[Job]:
        """Create all of several jobs, or none. Raises as `create`; pointers then begin with the place of the job."""
        new = await prepare_all(self.registry, submissions, self.turns)
        return await self._submit(new, lambda: self._submitter.submit(new)) if new else []

    async def create_all_once(
        self, submissions: Sequence[tuple[str, object, Options]], *, key: str
    ) -> tuple[Sequence[Job], bool]:
        """Do as `create_once` for several jobs, one at least, of one owner: all are created, or none."""
        new = await prepare_all(self.registry, submissions, self.turns)
        return await self._submit(new, lambda: self._submitter.submit_once(new, key))

    async def _submit(self, new: Sequence[NewJob], call: Callable[[], Awaitable[T]]) -> T:
        with self._observer.sending(new):
            return await self._available(call)

    async def read(self, job_id: str) -> bytes:
        """Return the job object as JSON. Raises JobNotFoundError, StoreUnavailableError."""
        return (await self.view(job_id)).body

    async def view(self, job_id: str, *, owner: str | None = None, payload: bool = False) -> JobView:
        """Return the job as clients see it. Raises JobNotFoundError, StoreUnavailableError."""
        known = known_id(job_id)
        try:
            return await self._reader.view(known, owner, payload=payload)
        except Exception as error:
            if not is_away(error):
                raise
        return await self._available(lambda: self._reader.view(known, owner, payload=payload))

    async def place(self, *views: JobView) -> None:
        """Note in views of pending jobs how many wait before them. Raises StoreUnavailableError."""
        for view in views:
            if view.glance.status is Status.PENDING:
                await self._available(lambda: self._reader.place(views))
                return

    async def view_many(self, job_ids: Sequence[str], *, owner: str | None = None) -> list[JobView | None]:
        """Return jobs in the order asked for, None for each that is not found. Raises StoreUnavailableError."""
        known = [job_id for job_id in job_ids if keys.parse_job_id(job_id) is not None]
        found = dict(zip(known, await self._available(lambda: self._reader.view_many(known, owner)), strict=True))
        return [found.get(job_id) for job_id in job_ids]

    async def list(self, listing: Listing, *, owner: str | None = None) -> JobPage:
        """Return a page of jobs, newest first. Raises InvalidCursorError, StoreUnavailableError."""
        return await self._available(lambda: self._reader.list(listing, owner))

    async def stats(self) -> Figures:
        """Return the figures of the queue, a second old at the most. Raises StoreUnavailableError."""
        return await self._available(self._stats.figures)

    async def counts(self) -> QueueCounts:
        """Return how much is in the queue and who works on it, as it is now. Raises StoreUnavailableError."""
        return await self._available(self._stats.counts)

    @contextlib.asynccontextmanager
    async def following(
        self, job_id: str, *, owner: str | None = None, after: int | None = None
    ) -> AsyncGenerator[JobFollower]:
        """Follow a job; `after` is the `seq` up to which the caller knows it. Raises JobNotFoundError and so on.

        Any number of followers, and those who wait, share one connection to Redis.
        """

        async def read() -> JobView:
            view = await self.view(job_id, owner=owner)
            await self.place(view)
            return view

        async with self._events.watching(known_id(job_id)) as watch:
            yield JobFollower(watch, read, await read(), after)

    async def get(self, job_id: str, *, owner: str | None = None) -> Job:
        """Return the job document as an object. Raises JobNotFoundError, StoreUnavailableError."""
        known = known_id(job_id)
        job = await self._available(lambda: self._store.load(known))
        if job.internal or (owner is not None and job.owner != keys.owner_digest(owner)):
            raise JobNotFoundError(job_id)
        return job

    async def attached(self, job_id: str, *, owner: str | None = None) -> tuple[Job, Mapping[str, Any]]:
        """Return a job and what was attached to it. Raises JobNotFoundError, StoreUnavailableError."""
        job = await self.get(job_id, owner=owner)
        submitted, _ = await self._available(lambda: self._store.load_input(job.id))
        return job, submitted.attached or {}

    async def cancel(self, job_id: str, *, owner: str | None = None) -> Job:
        """Ask for a cancel: a waiting job ends now, a running one soon; one that ended stays as it is.

        Raises JobNotFoundError, StoreUnavailableError.
        """
        known = (await self.get(job_id, owner=owner)).id
        return await self._available(lambda: self._cancel(known))

    async def _cancel(self, job_id: str) -> Job:
        while True:
            lease = await self._store.ask_cancel(job_id, timestamp())
            job = await self._store.load(job_id)
            if job.done or not lease.endswith(":"):
                return job
            submitted, _ = await self._store.load_input(job_id)
            end_document(job, Cancelled(), lifetime_seconds=self._store.lifetime_seconds)
            job.touch()
            written = Written(await self._store.write(job, lease=lease, new_lease=END))
            if written is not Written.LOST:
                self._observer.ended(job)
                release, due_ms = release_of(job, submitted), ms_of(job.run_at or job.created_at)
                await self._queue.settle_unclaimed(release.reference, letter=release.letter, due_ms=due_ms)
                return job

    async def retry(self, job_id: str, *, owner: str | None = None) -> Job:
        """Create a new job that goes on where a failed one ended; finished items are not generated again.

        While a retry of the job is open, that one is returned: two clicks make one job.
        Raises JobNotFoundError, NotRetryableError, StoreUnavailableError, and as `create`.
        """
        failed = await self.get(job_id, owner=owner)
        return await self._available(lambda: self._retry(failed))

    async def _retry(self, failed: Job) -> Job:
        job_id = failed.id
        if failed.status is not Status.FAILED:
            raise NotRetryableError(job_id, failed.status)
        submitted, items = await self._store.load_input(job_id)
        new = prepare_retry(self.registry.get(failed.type), failed, submitted, items)
        stands = await self._store.remember(keys.retry(job_id), new.job.id)
        while stands != new.job.id:
            earlier = await self._find(stands)
            if earlier is None:  # whoever noted this id has not created it yet, or died before: it is one job
                new.job.id = stands
            elif not earlier.done:
                await self._submitter.confirm(earlier)
                return earlier
            else:
                stands = await self._store.remember(keys.retry(job_id), new.job.id, instead_of=stands)
        with self._observer.sending([new]):
            return await self._submitter.add(new)

    async def _find(self, job_id: str) -> Job | None:
        try:
            return await self._store.load(job_id)
        except JobNotFoundError:
            return None

    async def delete(self, job_id: str, *, owner: str | None = None) -> None:
        """Remove a job that has ended, and what remembers it: a repeated submit with its key makes a new job.

        Raises JobNotFoundError, NotEndedError, StoreUnavailableError.
        """
        job = await self.get(job_id, owner=owner)
        if not job.done:
            raise NotEndedError(job_id)
        await self._available(lambda: remove(self._store, job))

    async def pause(self) -> None:
        """Hand out no more jobs of this queue until `resume`. Raises StoreUnavailableError."""
        await self._available(self._queue.pause)

    async def resume(self) -> None:
        """Hand out jobs of this queue again. Raises StoreUnavailableError."""
        await self._available(self._queue.resume)

    @property
    def queue(self) -> str:
        """The name of the queue."""
        return self._queue.keys.name

    def release_waiters(self) -> None:
        """End every following, now and from now on: the process is about to stop."""
        self._events.release()

    async def close(self) -> None:
        """End what following jobs needs; the rest needs no end."""
        await self._events.close()

    async def ready(self) -> None:
        """Return when Redis answers. Raises StoreUnavailableError."""
        await self._available(lambda: self._pipeline.command("PING"))

    async def _available(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await until_back(call, give_up=_PATIENCE_SECONDS)
        except Exception as error:
            if is_away(error):
                raise StoreUnavailableError from error
            raise
