"""Looks at every open job now and then: renews its lifetime, ends what waited for too long, heals the rest."""

from typing import Final

import structlog

from loresmith.jobs import keys
from loresmith.jobs.away import is_away
from loresmith.jobs.claim import parse_entry
from loresmith.jobs.observer import Observer
from loresmith.jobs.outcomes import Cancelled, Failed, end_document
from loresmith.jobs.queue import Queue, Release
from loresmith.jobs.store import END, Store, Written, waiting_lease
from loresmith.jobs.submission import release_of
from loresmith.jobs.types import Job, State, ms_of

log = structlog.get_logger(__name__)

INSPECT_SECONDS: Final = 3600.0
_GONE_SECONDS: Final = 120.0
_CHUNK: Final = 200
_WAITED_TOO_LONG: Final = Failed("deadline_exceeded", "The job waited for 24 h and was never started")


class Inspector:
    """One worker of the fleet inspects the jobs each hour; what it does is idempotent."""

    def __init__(
        self, store: Store, queue: Queue, *, seconds: float = INSPECT_SECONDS, observer: Observer | None = None
    ) -> None:
        self._store = store
        self._observer = observer
        self._queue = queue
        self._seconds = seconds

    async def inspect(self) -> None:
        """Forget workers that are gone, and go through all open jobs if it is this worker's turn."""
        await self._queue.retire_consumers(idle_seconds=_GONE_SECONDS)
        if not await self._queue.take_turn(self._seconds):
            return
        try:
            await self._inspect_all()
        except Exception:
            await self._queue.give_turn_back()  # or nobody would look for an hour
            raise

    async def _inspect_all(self) -> None:
        start = 0
        while jobs := await self._queue.open_jobs(start, _CHUNK):
            removed = [reference for reference, latest in jobs if not await self._is_open(reference, latest)]
            for reference in removed:
                await self._queue.settle_unclaimed(reference)
            start += len(jobs) - len(removed)

    async def _is_open(self, reference: str, latest_ms: float) -> bool:
        """Look at one job; what cannot be looked at keeps nobody from looking at the others."""
        try:
            return await self._look(reference, latest_ms)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("job cannot be inspected", job_id=reference.partition(":")[0])
            return True

    async def _look(self, reference: str, latest_ms: float) -> bool:
        """Return whether the job is still open."""
        job_id = reference.partition(":")[0]
        lease = await self._store.touch(job_id)
        if not lease:
            # A submit that died before its document, unless it is so young that the document may still come.
            return latest_ms - self._store.lifetime_seconds * 1000 > await self._store.clock_ms() - 60_000
        if lease == END:
            return False
        if not lease.endswith(":"):
            await self._heal(job_id, lease)
        elif latest_ms < await self._store.clock_ms():
            return not await self._end(job_id, lease)
        await self._keep_listed(job_id, latest_ms)
        return True

    async def _keep_listed(self, job_id: str, latest_ms: float) -> None:
        """List a job anew that is open for so long, or was so delayed, that the indexes may be about to forget it."""
        left_ms = latest_ms - await self._store.clock_ms()
        lifetime_ms = self._store.lifetime_seconds * 1000
        if not lifetime_ms / 2 < left_ms <= lifetime_ms:
            job = await self._store.load(job_id)
            if job.internal:
                return
            submitted, _ = await self._store.load_input(job_id)
            for index in (keys.everybodys(), keys.owned(submitted.owner)):
                await self._store.index(index, [job_id], now_ms=ms_of(job.created_at))

    async def _heal(self, job_id: str, lease: str) -> None:
        """Release a job anew whose lease names an entry that is gone: a failover lost it, so nobody would end the job.

        Whoever takes an entry away has written the lease before, so that one that still stands after the look at the
        entry has no holder; the write is guarded by it all the same.
        """
        letter, entry_id = parse_entry(lease)
        if await self._queue.is_pending(letter, entry_id):
            return
        job = await self._store.load(job_id)
        if job.state is State.RUNNING:
            job.move(State.RETRYING)
        job.touch()
        waiting = waiting_lease(int(lease.partition(":")[0]))
        await self._intend(job)  # if this worker dies now, that comes due: a job that waits has its place in the queue
        if Written(await self._store.write(job, lease=lease, new_lease=waiting)) is not Written.LOST:
            log.warning("job released anew: its entry was gone", job_id=job_id, type=job.type, owner=job.owner)
            await self._release(job)

    async def _end(self, job_id: str, lease: str) -> bool:
        job = await self._store.load(job_id)
        if job.started_at is not None:  # lost between two attempts, or its own deadline would have ended it by now
            await self._release(job)
            return False
        log.warning("job waited too long", job_id=job_id, type=job.type, owner=job.owner)
        asked = await self._store.cancel_asked(job_id)  # by one who died before it was done
        end_document(job, Cancelled() if asked else _WAITED_TOO_LONG, lifetime_seconds=self._store.lifetime_seconds)
        job.touch()
        written = Written(await self._store.write(job, lease=lease, new_lease=END)) is not Written.LOST
        if written and self._observer is not None:
            self._observer.ended(job)
        return written

    async def _release(self, job: Job) -> None:
        """Give a job to the workers; a second entry of it is dropped by whoever claims it."""
        await self._queue.release([await self._intend(job)])

    async def _intend(self, job: Job) -> Release:
        submitted, _ = await self._store.load_input(job.id)
        release = release_of(job, submitted)
        await self._queue.intend([release], bounded=False)
        return release
