"""Follows jobs that end: hands each to what must follow at least once, also after a crash of whoever was at it."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from loresmith.jobs import keys, lua
from loresmith.jobs.away import is_away
from loresmith.jobs.connection import Connections
from loresmith.jobs.errors import TransientError
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.stats import SAMPLE
from loresmith.jobs.types import Job, JobInput, decode_input, decode_job
from loresmith.jobs.worker import worker_name

log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_SILENT_SECONDS: Final = 30.0
_TIDY_SECONDS: Final = 60.0
_GONE_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job that ended: its document, and what it was submitted with."""

    job: Job
    submitted: JobInput


Follow = Callable[[Sequence[EndedJob]], Awaitable[None]]
"""What follows: called with some ended jobs, and again with the same until it returns, so it may see a job twice.

It raises TransientError when it cannot do its work for now.
"""


class Follower:
    """One reader of a group of readers of a queue's ended jobs; each job goes to one reader of each group.

    What a reader was given and did not finish within `silent_seconds` goes to another. A job is skipped, with a
    warning, when its document has expired (24 h after its end) before anybody could follow it. The last `stay` entries
    are kept when all have followed them: what the queue says of its pace is counted from them.
    """

    def __init__(
        self,
        *,
        connections: Connections,
        group: str,
        follow: Follow,
        queue: str = "default",
        most: int = 100,
        silent_seconds: float = _SILENT_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
        stay: int = SAMPLE,
    ) -> None:
        self.group = group
        self._follow = follow
        self._most = most
        self._silent_ms = int(silent_seconds * 1000)
        self._pause_seconds = pause_seconds
        self._stay = stay
        self._redis = connections.client()
        self._pipeline = Pipeline(self._redis)
        self._stream = keys.QueueKeys(queue).ended
        self._consumer = worker_name()
        self._cursor = "0-0"
        self._held: _Batch | None = None
        """What was taken, until it is acknowledged: a batch that failed may have expired when it is tried again."""
        self._tidy_at = time.monotonic()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Follow until `stop` is called, or cancelled; what is then under way is left to another reader."""
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    more = await self._round()
                    failures = 0
                except Exception as error:
                    more, failures = False, failures + 1
                    self._tell(error, failures)
                if not more:
                    await self._pause(failures)
        finally:
            await self._pipeline.close()
            await self._redis.aclose()

    def stop(self) -> None:
        """Stop before the next batch."""
        self._stopping.set()

    async def _round(self) -> bool:
        """Follow one batch; False when there was none."""
        self._held = self._held or await self._take()
        if self._held is None:
            return False
        if self._held.jobs:
            await self._follow(self._held.jobs)
        await self._pipeline.script(lua.FOLLOWED, (self._stream,), (self.group, self._stay, *self._held.entries))
        self._held = None
        return True

    async def _take(self) -> "_Batch | None":
        await self._tidy()
        cursor, flat = await self._pipeline.script(
            lua.FOLLOW, (self._stream,), (self.group, self._consumer, self._silent_ms, self._most, self._cursor)
        )
        self._cursor = cursor.decode()
        batch = _Batch()
        ids = [part.decode() for part in flat]
        await asyncio.gather(*(self._add(batch, *pair) for pair in zip(ids[::2], ids[1::2], strict=True)))
        return batch if batch.entries else None

    async def _add(self, batch: "_Batch", entry: str, job_id: str) -> None:
        """Read a job into the batch; one that has not ended after all waits for its end among the entries given out.

        A node of a Cluster that failed over can have lost the end of a job that the node of the queue knows of.
        """
        document, submitted = await asyncio.gather(
            self._pipeline.command("GET", keys.document(job_id)), self._pipeline.command("GET", keys.submitted(job_id))
        )
        if document is None or submitted is None:
            log.warning("an ended job expired before it was followed", job_id=job_id, group=self.group)
            batch.entries.append(entry)
            return
        try:
            ended = EndedJob(decode_job(document), decode_input(submitted))
        except msgspec.DecodeError:
            log.exception("an ended job cannot be read", job_id=job_id, group=self.group)
            batch.entries.append(entry)
            return
        if ended.job.done:
            batch.entries.append(entry)
            batch.jobs.append(ended)

    async def _tidy(self) -> None:
        """Forget readers that are gone and hold nothing: each start of a process is a new one."""
        if time.monotonic() >= self._tidy_at:
            await self._pipeline.script(lua.RETIRE, (self._stream,), (self.group, int(_GONE_SECONDS * 1000), ""))
            self._tidy_at = time.monotonic() + _TIDY_SECONDS

    def _tell(self, error: Exception, failures: int) -> None:
        if is_away(error):
            return
        if not isinstance(error, TransientError):
            log.error("following ended jobs failed", group=self.group, exc_info=error)
        elif failures == 1:
            log.warning("ended jobs wait to be followed", group=self.group, error=error.message)

    async def _pause(self, failures: int) -> None:
        grown = self._pause_seconds * 2 ** min(failures, 10)
        seconds = min(grown, _LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1.0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


@dataclass(slots=True)
class _Batch:
    """Entries that were taken, with their jobs."""

    entries: list[str] = field(default_factory=list[str])
    jobs: list[EndedJob] = field(default_factory=list[EndedJob])
