"""Jobs of the engine's own: in a queue of their own, in no list, and not found by those who ask for jobs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loresmith.jobs.away import is_away
from loresmith.jobs.census import Census
from loresmith.jobs.connection import Client
from loresmith.jobs.errors import JobNotFoundError, StoreUnavailableError
from loresmith.jobs.observer import Observer
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.registry import JobType
from loresmith.jobs.replicas import Replicas
from loresmith.jobs.store import Store
from loresmith.jobs.submission import NewJob, Options, prepare, release_of
from loresmith.jobs.submitter import Submitter
from loresmith.jobs.types import Job

_UNBOUNDED: Final = 2**53
"""As many as there are: they follow from jobs that were admitted, and must not be turned away."""


@dataclass(frozen=True, slots=True)
class InternalJob:
    """One to create; its `job_id` (a UUID) is chosen by its maker, so that making it twice makes one."""

    job_id: str
    payload: object
    options: Options


@dataclass(frozen=True, slots=True)
class InternalView:
    """How one stands: its document, its items by index until it completes, the time in ms at which it is due next."""

    job: Job
    items: dict[int, bytes]
    due_ms: int | None


class InternalJobs:
    """Creates and reads the jobs of one internal type; any number of processes may."""

    def __init__(self, redis: Client, kind: JobType, *, queue: str) -> None:
        self._kind = kind
        self._pipeline = Pipeline(redis)
        self._store = Store(self._pipeline)
        self._queue = Queue(self._pipeline, queue, limit=_UNBOUNDED, owner_limit=_UNBOUNDED)
        parts = self._pipeline, self._store, self._queue, Replicas(redis, 0), Observer(queue)
        self._submitter = Submitter(*parts, Census(self._pipeline, self._queue.keys))

    async def create(self, wanted: Sequence[InternalJob]) -> None:
        """Make sure that these exist and will run. Raises StoreUnavailableError: call again then."""
        try:
            await self._submitter.submit([self._new(one) for one in wanted])
        except Exception as error:
            if is_away(error):
                raise StoreUnavailableError from error
            raise

    def _new(self, one: InternalJob) -> NewJob:
        new = prepare(self._kind, one.payload, one.options)
        new.job.id = new.submitted.root_job_id = one.job_id
        new.job.internal = True
        new.tried = True  # by an earlier call, perhaps
        return new

    async def find(self, job_id: str) -> InternalView | None:
        """Return one, None where there is none (any more). Raises StoreUnavailableError."""
        try:
            return await self._find(job_id)
        except JobNotFoundError:
            return None
        except Exception as error:
            if is_away(error):
                raise StoreUnavailableError from error
            raise

    async def _find(self, job_id: str) -> InternalView:
        job, (submitted, items) = await asyncio.gather(self._store.load(job_id), self._store.load_input(job_id))
        member = release_of(job, submitted).member
        due = None if job.done else await self._pipeline.command("ZSCORE", self._queue.keys.scheduled, member)
        finished = {int(name): value for name, value in items.items() if name.isdigit()}
        return InternalView(job, finished, None if due is None else int(float(due)))
