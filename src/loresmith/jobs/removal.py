"""Removes a job that has ended, and what remembers it."""

import contextlib

from loresmith.jobs import keys
from loresmith.jobs.errors import JobNotFoundError
from loresmith.jobs.store import Store
from loresmith.jobs.types import Job


async def remove(store: Store, job: Job) -> None:
    """Remove a job, the keys by which a submit or a retry would find it again, and its places in the lists."""
    with contextlib.suppress(JobNotFoundError):  # by a try whose reply was lost
        submitted, _ = await store.load_input(job.id)
        await _forget(store, submitted.idempotency, job.id)
        if job.retry_of is not None:
            await _forget(store, keys.retry(job.retry_of), job.id)
        await store.delete(job.id)
        for index in (keys.everybodys(), keys.owned(submitted.owner)):
            await store.drop_from(index, [job.id])


async def _forget(store: Store, key: str, job_id: str) -> None:
    noted = await store.remembered(key) if key else ""
    if job_id in noted:
        await store.forget(key, noted)
