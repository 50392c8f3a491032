"""One run of one job on this worker: its document as it will be written next, and the guarded writes of it."""

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from loresmith.jobs import progress
from loresmith.jobs.away import is_away, until_back
from loresmith.jobs.claim import Begun, Claim
from loresmith.jobs.errors import LeaseLostError, PermanentError
from loresmith.jobs.forecast import SLOW, Forecast
from loresmith.jobs.outcomes import LARGEST_RESULT_BYTES, too_large
from loresmith.jobs.profiles import Past, Profiles
from loresmith.jobs.retries import Found
from loresmith.jobs.store import Store, Written
from loresmith.jobs.types import Job, JobInput


class Stop(StrEnum):
    """Why a running handler is stopped from outside."""

    CANCEL = "cancel"
    DEADLINE = "deadline"
    DRAIN = "drain"
    LOST = "lost"


class Run:
    """The holder's view of a running job. It alone writes the document while its lease holds."""

    __slots__ = (
        "_began",
        "_clock_from",
        "_done",
        "_expected_seconds",
        "_first",
        "_forecast",
        "_profiles",
        "_refused",
        "_said",
        "_store",
        "_unsaved",
        "_wake",
        "_writing",
        "checkpoint",
        "claim",
        "deadline",
        "dirty",
        "found",
        "job",
        "lease",
        "looked_at",
        "number",
        "settling",
        "stopped",
        "stopped_at",
        "submitted",
        "task",
    )

    def __init__(
        self,
        store: Store,
        claim: Claim,
        begun: Begun,
        *,
        expected_seconds: float,
        wake: Callable[["Run"], None],
        profiles: Profiles | None = None,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._expected_seconds = expected_seconds
        self._wake = wake
        self._unsaved: dict[str, bytes] = {}
        self._writing: asyncio.Future[int] | None = None
        self._clock_from: float | None = None
        self._began = time.monotonic()
        self._done = begun.job.fraction or 0.0
        self._first = begun.run == 1 and not begun.checkpoint
        self._forecast: Forecast | None = None
        self._profiles = profiles
        self._refused = refused
        self._said = begun.job.message
        self.found = Found.take(begun)
        self.claim = claim
        self.job: Job = begun.job
        self.submitted: JobInput = begun.submitted
        self.number = begun.run
        self.lease = begun.lease
        self.checkpoint: dict[str, msgspec.Raw] = begun.checkpoint
        self.deadline = float("inf")
        self.dirty = self.settling = False
        self.looked_at = time.monotonic()
        self.stopped: Stop | None = None
        self.stopped_at = 0.0
        self.task: asyncio.Task[Any] | None = None

    def report(self, fraction: float | None, message: str | None) -> None:
        """Take in what the handler says; progress never goes back."""
        job = self.job
        before = (job.message, job.progress_source, job.fraction)
        if message is not None and message != self._said:
            job.message = self._said = message
        if fraction is None:
            self._clock_from = self._clock_from or time.monotonic()
            job.progress_source = "simulated"
            self._advance(progress.STARTED)
        else:
            self._clock_from = None
            job.progress_source = "measured"
            if self._forecast is None or not self._forecast.knows:
                self._raise(min(1.0, max(0.0, fraction)))
        self.dirty = self.dirty or before != (job.message, job.progress_source, job.fraction)

    async def compare(self, model: str, count: int) -> None:
        """Go by past jobs of this type that had the same model and count."""
        kind = (self.job.type, model, count)
        past = await self._profiles.past(kind) if self._profiles is not None else Past(kind)
        self._forecast = self._new_forecast(past)

    def reached(self, part: int, mark: int) -> None:
        """Take in that a part of the job is at a checkpoint."""
        if self._forecast is not None:
            self._forecast.reached(part, mark)

    @property
    def course(self) -> list[int]:
        """The checkpoints so far: part, mark, ms since the one before, flat."""
        return self._forecast.course if self._forecast is not None else []

    def record(self) -> None:
        """Keep when the checkpoints of a job were reached that completed in one go; waits for nothing."""
        if self._first and self._profiles is not None and self._forecast is not None:
            kept = self._forecast.trace()
            if kept is not None:
                self._profiles.record(*kept)

    def _new_forecast(self, past: Past | None = None) -> Forecast:
        return Forecast(self._expected_seconds, began=self._began, done=self._done, past=past)

    def finalize(self, message: str) -> None:
        """Show that the result is being put together, at once."""
        self._clock_from = None
        self.job.message = self._said = message
        if self.job.progress_source == "measured":
            self.job.fraction = 1.0
        self._advance(progress.FINALIZING)
        self.dirty = True
        self._wake(self)

    def tick(self, now: float) -> None:
        """Move on what is estimated: progress by the clock or by past jobs, the ETA, and whether the job is late."""
        job = self.job
        if self.settling or job.progress < progress.STARTED:
            return  # the document says already what the run comes to
        before = (job.progress, job.message)
        forecast = self._forecast = self._forecast or self._new_forecast()
        by_clock = self._clock_from is not None
        found = forecast.estimate(job.fraction or 0.0, now, by_clock=by_clock)
        if self._clock_from is not None:
            self._advance(progress.simulated(now - self._clock_from, self._expected_seconds))
        elif forecast.knows:
            self._raise(round(found.fraction, 4))
        job.message = f"{self._said} {SLOW}" if found.late and job.progress < progress.FINALIZING else self._said
        drifted = forecast.show(job, found, now)
        self.dirty = self.dirty or drifted or before != (job.progress, job.message)

    def _raise(self, fraction: float) -> None:
        self.job.fraction = max(self.job.fraction or 0.0, fraction)
        self._advance(progress.measured(self.job.fraction))

    def _advance(self, value: int) -> None:
        self.job.progress = max(self.job.progress, value)

    def stop(self, reason: Stop) -> None:
        """Stop the handler; the first reason stands. Does nothing once the outcome is being written."""
        if self.settling or self.stopped is not None:
            return
        self.stopped = reason
        self.stopped_at = time.monotonic()
        if self.task is not None:
            self.task.cancel()

    def insist(self) -> None:
        """Cancel the handler once more: `asyncio.wait_for` of Python 3.11 may lose a cancel (python/cpython#86296)."""
        if self.stopped is not None and not self.settling and self.task is not None:
            self.task.cancel()

    async def save(self, name: str, value: bytes) -> None:
        """Write a finished item with the next document; returns when Redis has it.

        Raises LeaseLostError, and PermanentError when the items of the job become too large.
        """
        size = len(value) + sum(len(bytes(each)) for saved, each in self.checkpoint.items() if saved != name)
        if size > LARGEST_RESULT_BYTES:
            outcome = too_large("output", size)
            raise PermanentError(outcome.message, code=outcome.code)
        self._unsaved[name] = value
        self.checkpoint[name] = msgspec.Raw(value)
        while self._unsaved.get(name) is value:
            await until_back(self.write)

    def start_write(self) -> asyncio.Future[int] | None:
        """Send the document if it changed and no write is under way; the caller passes the reply to `written`."""
        if self._writing is not None or self.settling or not (self.dirty or self._unsaved):
            return None
        self.dirty = False
        self.job.touch()
        self._writing = self._store.write(
            self.job, lease=self.lease, items=dict(self._unsaved), has_items=bool(self.checkpoint)
        )
        return self._writing

    async def write(self) -> None:
        """Send the document now, after a write that is under way. Raises redis errors and LeaseLostError.

        So it does once the outcome is being written.
        """
        await self.quiet()
        if self.settling:  # a piece of the handler that outlived it: nothing of it is written any more
            raise LeaseLostError
        sent = dict(self._unsaved)
        future = self.start_write()
        if future is not None:
            await self.written(future, sent)

    async def written(self, future: asyncio.Future[int], sent: dict[str, bytes] | None = None) -> None:
        """Take in the reply to a write. Raises redis errors, and LeaseLostError when another holds the lease."""
        try:
            reply = Written(await future)
        except Exception:
            self.dirty = True
            raise
        finally:
            if self._writing is future:
                self._writing = None
        if reply is Written.LOST:
            self._refused()
            self.stop(Stop.LOST)
            raise LeaseLostError
        self.looked_at = time.monotonic()
        for name, value in (sent or {}).items():
            if self._unsaved.get(name) is value:
                del self._unsaved[name]
        if reply is Written.DONE_CANCEL_ASKED:
            self.stop(Stop.CANCEL)
            await asyncio.sleep(0)  # a handler that wrote it itself is cancelled here, not while it is settled

    @property
    def unsaved(self) -> dict[str, bytes]:
        """Items that Redis has not confirmed yet."""
        return dict(self._unsaved)

    async def quiet(self) -> None:
        """Wait until no write is under way."""
        while (writing := self._writing) is not None:
            await asyncio.wait([writing])
            if self._writing is writing:
                self._writing = None

    async def end(self, *, new_lease: str, unless_cancelled: bool) -> Written:
        """Write the document for the last time in this run, for as long as Redis is away."""
        await self.quiet()
        self.job.touch()

        async def attempt() -> int:
            return await self._store.write(
                self.job,
                lease=self.lease,
                new_lease=new_lease,
                items=self._unsaved,
                unless_cancelled=unless_cancelled,
                has_items=bool(self.checkpoint),
            )

        written = Written(await until_back(attempt))
        if written is Written.LOST:
            self._refused()
        return written

    async def look_for_cancel(self) -> None:
        """Stop the handler when a cancel was asked for."""
        self.looked_at = time.monotonic()
        try:
            if await self._store.cancel_asked(self.job.id):
                self.stop(Stop.CANCEL)
        except Exception as error:
            if not is_away(error):
                raise
