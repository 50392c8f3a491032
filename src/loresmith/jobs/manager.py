"""The life of jobs as their submitters see it: create, get, cancel, retry."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from loresmith.jobs import keys
from loresmith.jobs.away import is_away, until_back
from loresmith.jobs.connection import Client
from loresmith.jobs.errors import JobNotFoundError, NotRetryableError, StoreUnavailableError
from loresmith.jobs.outcomes import Cancelled, end_document
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.registry import JobRegistry
from loresmith.jobs.replicas import Replicas
from loresmith.jobs.store import END, Store, Written
from loresmith.jobs.submission import DEFAULTS, Options, prepare, prepare_retry, release_of
from loresmith.jobs.submitter import Submitter
from loresmith.jobs.types import Job, Status, timestamp

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 1.5


class JobManager:
    """Creates jobs and answers for them; any number of processes may have one.

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
    ) -> None:
        self.registry = registry
        self._pipeline = Pipeline(redis)
        self._store = Store(self._pipeline)
        self._queue = Queue(self._pipeline, queue, limit=limit, owner_limit=owner_limit)
        self._submitter = Submitter(self._pipeline, self._store, self._queue, Replicas(redis, replicas))

    async def create(self, type_name: str, payload: object, options: Options = DEFAULTS) -> Job:
        """Validate a submission, store it, release it to the workers, and return the new job.

        Raises UnknownJobTypeError, InvalidPayloadError, QueueFullError, TooManyActiveJobsError, after which no job
        exists, and StoreUnavailableError.
        """
        new = prepare(self.registry.get(type_name), payload, options)
        return await self._available(lambda: self._submitter.add(new))

    async def create_once(
        self, type_name: str, payload: object, options: Options = DEFAULTS, *, key: str
    ) -> tuple[Job, bool]:
        """Do as `create` unless the owner used `key` before; return the job and whether it was there already.

        Raises IdempotencyKeyReusedError too, when the key stands for another request.
        """
        new = prepare(self.registry.get(type_name), payload, options)
        return await self._available(lambda: self._submitter.add_once(new, key))

    async def create_all(self, submissions: Sequence[tuple[str, object, Options]]) -> Sequence[Job]:
        """Create all of several jobs, or none. Raises as `create`."""
        new = [prepare(self.registry.get(name), payload, options) for name, payload, options in submissions]
        return await self._available(lambda: self._submitter.submit(new)) if new else []

    async def read(self, job_id: str) -> bytes:
        """Return the job object as JSON. Raises JobNotFoundError, StoreUnavailableError."""
        known = _known_id(job_id)
        return await self._available(lambda: self._store.read(known))

    async def get(self, job_id: str) -> Job:
        """Return the job document as an object. Raises JobNotFoundError, StoreUnavailableError."""
        known = _known_id(job_id)
        return await self._available(lambda: self._store.load(known))

    async def cancel(self, job_id: str) -> Job:
        """Ask for a cancel: a waiting job ends now, a running one soon; one that ended stays as it is.

        Raises JobNotFoundError, StoreUnavailableError.
        """
        known = _known_id(job_id)
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
                await self._queue.settle_unclaimed(release_of(job, submitted).reference)
                return job

    async def retry(self, job_id: str) -> Job:
        """Create a new job that goes on where a failed one ended; finished items are not generated again.

        While a retry of the job is open, that one is returned: two clicks make one job.
        Raises JobNotFoundError, NotRetryableError, StoreUnavailableError, and as `create`.
        """
        known = _known_id(job_id)
        return await self._available(lambda: self._retry(known))

    async def _retry(self, job_id: str) -> Job:
        failed = await self._store.load(job_id)
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
        return await self._submitter.add(new)

    async def _find(self, job_id: str) -> Job | None:
        try:
            return await self._store.load(job_id)
        except JobNotFoundError:
            return None

    async def pause(self) -> None:
        """Hand out no more jobs of this queue until `resume`. Raises StoreUnavailableError."""
        await self._available(self._queue.pause)

    async def resume(self) -> None:
        """Hand out jobs of this queue again. Raises StoreUnavailableError."""
        await self._available(self._queue.resume)

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


def _known_id(text: str) -> str:
    job_id = keys.parse_job_id(text)
    if job_id is None:
        raise JobNotFoundError(text)
    return job_id
