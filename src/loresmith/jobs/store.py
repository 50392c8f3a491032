"""The documents of the jobs: every read and every write of one, fenced by its lease."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

import msgspec

from loresmith.jobs import keys, lua
from loresmith.jobs.claim import Begun, Claim, Dropped, Reason
from loresmith.jobs.errors import JobNotFoundError
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.types import (
    LIFETIME_SECONDS,
    Job,
    JobInput,
    Status,
    decode_input,
    decode_job,
    encode_input,
    encode_job,
)
from loresmith.jobs.view import JobView, pairs_of

END: Final = "end"
_INTENT_AGE_MS: Final = 2_000


class Written(IntEnum):
    """What became of a guarded write."""

    LOST = 0
    DONE = 1
    REFUSED_FOR_CANCEL = 2
    DONE_CANCEL_ASKED = 3


class Created(IntEnum):
    """What became of a new document."""

    TOO_LATE = 0
    DONE = 1
    EXISTED = 2


def waiting_lease(run: int) -> str:
    """Return the lease of a job that waits after its run `run`."""
    return f"{run}:"


class Store:
    """Reads and writes job documents; all writes are compare-and-set on the lease."""

    def __init__(self, pipeline: Pipeline, *, lifetime_seconds: int = LIFETIME_SECONDS) -> None:
        self.pipeline = pipeline
        self.lifetime_seconds = lifetime_seconds
        self._clock_offset_ms: float | None = None

    async def clock_ms(self, *, refresh: bool = False) -> int:
        """Return the time on Redis's clock, followed by our monotonic one between looks."""
        if self._clock_offset_ms is None or refresh:
            seconds, micros = await self.pipeline.command("TIME")
            self._clock_offset_ms = int(seconds) * 1000 + int(micros) // 1000 - time.monotonic() * 1000
        return int(time.monotonic() * 1000 + self._clock_offset_ms)

    def create(
        self,
        job: Job,
        submitted: JobInput,
        *,
        intent_ms: int,
        items: Mapping[str, bytes] | None = None,
    ) -> asyncio.Future[int]:
        """Write a new job's document, input and lease; refused when its intent is over 2 s old.

        The future has a value of `Created`.
        """
        carried = [part for pair in (items or {}).items() for part in pair]
        return self.pipeline.script(
            lua.CREATE,
            (keys.document(job.id), keys.submitted(job.id), keys.lease(job.id), keys.items(job.id)),
            (
                encode_job(job),
                encode_input(submitted),
                self.lifetime_seconds,
                intent_ms,
                _INTENT_AGE_MS,
                *carried,
            ),
        )

    def index(self, index: str, job_ids: Sequence[str], *, now_ms: int) -> asyncio.Future[int]:
        """Note jobs in an index, their owner's or everybody's, by which they are listed."""
        pairs = [part for job_id in job_ids for part in (now_ms, job_id)]
        return self.pipeline.script(lua.INDEX, (index,), (self.lifetime_seconds, *pairs))

    async def begin(self, claim: Claim, worker: str, *, gone: str = "") -> Begun | Dropped:
        """Take the lease of a claimed job and read what a run of it needs.

        A job held through `gone`, an entry that the queue no longer has, is taken from its holder.
        """
        job_id = claim.job_id
        reply: list[Any] = await self.pipeline.script(
            lua.BEGIN,
            (
                keys.lease(job_id),
                keys.document(job_id),
                keys.submitted(job_id),
                keys.items(job_id),
                keys.cancel(job_id),
            ),
            (worker, claim.entry, self.lifetime_seconds, "1" if claim.rescued else "", gone),
        )
        if len(reply) <= 2:
            reason, holder = (*(part.decode() for part in reply), "")[:2]
            return Dropped(Reason(reason), holder)
        run, taken, document, submitted, cancel = reply[:5]
        return Begun(
            job=decode_job(document),
            submitted=decode_input(submitted),
            run=int(run),
            lease=f"{int(run)}:{worker}:{claim.entry}",
            taken_over=taken == b"1",
            cancel_asked=bool(cancel),
            checkpoint=_pairs(reply[5:]),
        )

    def write(
        self,
        job: Job,
        *,
        lease: str,
        new_lease: str | None = None,
        items: Mapping[str, bytes] | None = None,
        unless_cancelled: bool = False,
        has_items: bool = True,
    ) -> asyncio.Future[int]:
        """Replace the document if `lease` still holds; `new_lease` and finished items go with it.

        A holder that knows that its job has no items yet says so by `has_items`.

        The caller has called `job.touch()`: repeating a write with the same `seq` is harmless. The future has a
        value of `Written`.
        """
        job_id = job.id
        pairs = [part for pair in (items or {}).items() for part in pair]
        return self.pipeline.script(
            lua.WRITE,
            (
                keys.document(job_id),
                keys.lease(job_id),
                keys.submitted(job_id),
                keys.items(job_id),
                keys.cancel(job_id),
            ),
            (
                lease,
                new_lease or lease,
                encode_job(job),
                self.lifetime_seconds,
                keys.events(job_id),
                "1" if unless_cancelled else "",
                "" if not has_items else "drop" if job.status is Status.COMPLETED else "keep",
                *pairs,
            ),
        )

    async def ask_cancel(self, job_id: str, mark: str) -> str:
        """Set the durable cancel mark and return the lease as it stands. Raises JobNotFoundError."""
        reply = await self.pipeline.script(
            lua.CANCEL,
            (keys.document(job_id), keys.lease(job_id), keys.cancel(job_id)),
            (mark, self.lifetime_seconds, keys.CANCELS, job_id, keys.events(job_id)),
        )
        if not reply:
            raise JobNotFoundError(job_id)
        return reply.decode()

    async def cancel_asked(self, job_id: str) -> bool:
        """Tell whether the cancel mark of a job is set."""
        return bool(await self.pipeline.command("EXISTS", keys.cancel(job_id)))

    async def touch(self, job_id: str) -> str:
        """Renew the lifetime of an open job's keys and return its lease, `` when the job is gone."""
        made = (keys.lease, keys.document, keys.submitted, keys.items, keys.cancel, keys.retry)
        reply = await self.pipeline.script(lua.TOUCH, [make(job_id) for make in made], (self.lifetime_seconds,))
        return reply.decode()

    async def remember(self, key: str, value: str, *, instead_of: str = "") -> str:
        """Set a value for a lifetime unless another stands there, and return the one that stands now."""
        reply = await self.pipeline.script(lua.REMEMBER, (key,), (value, self.lifetime_seconds, instead_of))
        return reply.decode()

    async def remembered(self, key: str) -> str:
        """Return what `remember` set, '' when nothing stands there."""
        found = await self.pipeline.command("GET", key)
        return found.decode() if found else ""

    async def lease(self, job_id: str) -> str:
        """Return the lease of a job as it stands, '' when the job is gone."""
        found = await self.pipeline.command("GET", keys.lease(job_id))
        return found.decode() if found else ""

    async def load_input(self, job_id: str) -> tuple[JobInput, dict[str, bytes]]:
        """Return what a job was submitted with, and its checkpoint. Raises JobNotFoundError."""
        submitted_future = self.pipeline.command("GET", keys.submitted(job_id))
        items = await self.pipeline.command("HGETALL", keys.items(job_id))
        submitted = await submitted_future
        if submitted is None:
            raise JobNotFoundError(job_id)
        return decode_input(submitted), {name.decode(): value for name, value in pairs_of(items)}

    async def exist(self, job_ids: Sequence[str]) -> bool:
        """Tell whether all of these jobs are there."""
        found = [self.pipeline.command("EXISTS", keys.document(job_id)) for job_id in job_ids]
        return all(await asyncio.gather(*found))

    async def load(self, job_id: str) -> Job:
        """Return the document as an object. Raises JobNotFoundError."""
        document = await self.pipeline.command("GET", keys.document(job_id))
        if document is None:
            raise JobNotFoundError(job_id)
        return decode_job(document)

    async def view(self, job_id: str, *, payload: bool = False) -> JobView:
        """Return the job as clients see it. Raises JobNotFoundError."""
        made = (keys.document, keys.items, keys.cancel, keys.submitted)
        reply = await self.pipeline.script(lua.READ, [make(job_id) for make in made], ("1" if payload else "",))
        if not reply:
            raise JobNotFoundError(job_id)
        return JobView.of(reply)

    async def page(self, index: str, after: tuple[int, str] | None, count: int) -> list[tuple[int, str]]:
        """Return up to `count` entries of an index, time in ms and id, newest first, that follow the entry `after`."""
        time_ms, job_id = after or ("", "")
        flat = await self.pipeline.script(lua.PAGE, (index,), (time_ms, job_id, count))
        return [(int(float(score)), name.decode()) for name, score in zip(flat[::2], flat[1::2], strict=True)]

    def drop_from(self, index: str, job_ids: Sequence[str]) -> asyncio.Future[int]:
        """Take jobs that are gone out of an index."""
        return self.pipeline.command("ZREM", index, *job_ids)

    async def delete(self, job_id: str) -> bool | None:
        """Remove a job that has ended; False for one that has not, None for one that is gone already."""
        made = (keys.lease, keys.document, keys.submitted, keys.items, keys.cancel, keys.retry)
        reply = await self.pipeline.script(lua.DELETE, [make(job_id) for make in made], ())
        return None if reply < 0 else bool(reply)

    def forget(self, key: str, value: str) -> asyncio.Future[int]:
        """Take back what `remember` set, if it is still that."""
        return self.pipeline.script(lua.UNSET, (key,), (value,))


def _pairs(flat: Sequence[bytes]) -> dict[str, msgspec.Raw]:
    return {name.decode(): msgspec.Raw(value) for name, value in pairs_of(flat)} if flat else {}
