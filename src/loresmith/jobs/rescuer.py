"""Takes over the jobs of workers that fell silent."""

import time
from collections.abc import Mapping
from typing import Final

import structlog

from loresmith.jobs.claim import Claim
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue, SweptLateError
from loresmith.jobs.run import Run

log = structlog.get_logger(__name__)

_STILL_SECONDS: Final = 1.0
_MOST_LATE: Final = 3


class Rescuer:
    """Sweeps every quarter of a lease, paced over the fleet."""

    def __init__(
        self,
        queue: Queue,
        pipeline: Pipeline,
        runs: Mapping[str, Run],
        *,
        consumer: str,
        lease_seconds: float,
    ) -> None:
        self._queue = queue
        self._pipeline = pipeline
        self._runs = runs
        self._consumer = consumer
        self._lease_seconds = lease_seconds
        self._clock_offset_ms: float | None = None
        """Redis's clock less our monotonic one, as it was seen last."""
        self._late = 0
        """Sweeps in a row that came late."""

    async def rescue(self, free: int) -> list[Claim]:
        """Return up to `free` claims of jobs whose worker is dead.

        Only after Redis was up for a whole lease: idle times run on while it is away, and the workers that live must
        have had their chance to renew. It was away too if it stood still, or its clock was set, since the last sweep;
        but where every answer takes so long, a sweep now and then trusts the idle times all the same.
        """
        if time.monotonic() - self._pipeline.up_since < self._lease_seconds:
            return []
        try:
            sent_ms = await self._clock() if self._late < _MOST_LATE else None
            claims = await self._queue.rescue(
                self._consumer,
                idle_seconds=self._lease_seconds,
                pace_seconds=self._lease_seconds / 5,
                most=min(free, 100),
                sent_ms=sent_ms,
            )
        except SweptLateError:
            self._late += 1
            self._pipeline.was_away()
            return []
        self._late = 0
        rescued = [claim for claim in claims if claim.job_id not in self._runs]
        for claim in rescued:
            log.warning("job taken over from a silent worker", job_id=claim.job_id)
        return rescued

    async def _clock(self) -> int:
        """Return the time on Redis's clock. Raises SweptLateError when it is not where it should be, or came late."""
        asked = time.monotonic()
        now = await self._queue.clock_ms()
        answered = time.monotonic()
        if answered - asked > _STILL_SECONDS:
            raise SweptLateError
        before, self._clock_offset_ms = self._clock_offset_ms, now - answered * 1000
        if before is not None and self._clock_offset_ms - before > _STILL_SECONDS * 1000:
            raise SweptLateError
        return now
