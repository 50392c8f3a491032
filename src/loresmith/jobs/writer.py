"""Writes the documents of running jobs: changes of state soon, progress twice a second, all in one pipeline."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Final

import structlog

from loresmith.jobs.away import is_away
from loresmith.jobs.errors import LeaseLostError
from loresmith.jobs.observer import facts_of
from loresmith.jobs.run import Run, Stop

log = structlog.get_logger(__name__)

_SOON_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 1.0
_INSIST_SECONDS: Final = 1.0
_STUBBORN_SECONDS: Final = 5.0


class Writer:
    """No handler waits for it: it takes the newest of each run and sends all of them together."""

    def __init__(self) -> None:
        self.runs: Mapping[str, Run] = {}
        self.abandon: Callable[[Run], Coroutine[None, None, None]] | None = None
        self._woken: set[Run] = set()
        self._abandoned: set[asyncio.Task[None]] = set()
        self._soon: asyncio.Task[None] | None = None

    def wake(self, run: Run) -> None:
        """Write a run's document within 50 ms: it began, or entered another phase."""
        self._woken.add(run)
        if self._soon is None:
            self._soon = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        await asyncio.sleep(_SOON_SECONDS)
        self._soon = None
        woken, self._woken = self._woken, set()
        await self._write(woken)

    async def tick(self) -> None:
        """Move simulated progress, enforce deadlines, look for cancels, write what changed."""
        now = time.monotonic()
        runs = list(self.runs.values())
        for run in runs:
            run.tick(now)
            if now > run.deadline:
                run.stop(Stop.DEADLINE)
            if run.stopped is not None and now - run.stopped_at > _STUBBORN_SECONDS:
                self._give_up(run)
            elif run.stopped is not None and now - run.stopped_at > _INSIST_SECONDS:
                run.insist()
        await self._write(runs)
        quiet = [run for run in runs if now - run.looked_at >= _LOOK_SECONDS]
        await asyncio.gather(*(run.look_for_cancel() for run in quiet))

    def _give_up(self, run: Run) -> None:
        if self.abandon is not None and not run.settling:
            task = asyncio.create_task(self.abandon(run))
            self._abandoned.add(task)
            task.add_done_callback(self._abandoned.discard)

    async def _write(self, runs: Iterable[Run]) -> None:
        sent = [(run, run.unsaved, future) for run in runs if (future := run.start_write()) is not None]
        for run, items, future in sent:
            try:
                await run.written(future, items)
            except LeaseLostError:
                continue
            except Exception as error:
                if not is_away(error):  # and the others' replies are taken in all the same
                    log.exception("document not written", **facts_of(run.job, run.submitted))

    def hand_back(self) -> None:
        """Stop every handler; its job goes back to the queue."""
        for run in list(self.runs.values()):
            run.stop(Stop.DRAIN)
