"""Job types that write down in the ledger what they do and put their run's number into all they leave behind."""

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from pydantic import BaseModel

from loresmith.jobs import JobContext, JobRegistry, JobType, PermanentError, TransientError, job_type
from tests.chaos.ledger import Ledger

DEADLINE_SECONDS: Final = 120.0
ENDLESS_SECONDS: Final = 4.0
_RESCUES: Final = 1_000  # jobs of this loop lose many workers, and are to end with a result all the same


class Order(BaseModel):
    """What a job of the loop is to do."""

    count: int = 3
    seconds: float = 0.2
    failing_attempts: int = 0
    fails_at: int = 0


class Diary:
    """Notes of one run of one job."""

    def __init__(self, ctx: JobContext[Order]) -> None:
        self._ctx = ctx
        self._ledger = ctx.resource(Ledger)

    def note(self, kind: str, **facts: Any) -> None:
        self._ledger.note(kind, self._ctx.job_id, self._ctx.run, **facts)

    def started(self) -> None:
        run = self._ctx._run
        have = {name: _nonce(bytes(value)) for name, value in run.checkpoint.items()}
        facts = {"pid": os.getpid(), "attempt": self._ctx.attempt, "rescues": run.job.rescues}
        self.note("started", root=self._ctx.root_job_id, have=have, **facts)

    async def generate(self, name: str, seconds: float) -> dict[str, Any]:
        """Make a piece, the work that must not be done again once it is checkpointed."""
        self.note("generating", name=name)
        await asyncio.sleep(seconds)
        nonce = secrets.token_hex(6)
        self.note("generated", name=name, nonce=nonce)
        return {"run": self._ctx.run, "nonce": nonce}

    async def item(self, index: int, seconds: float) -> None:
        """Make an item and checkpoint it, unless it is there."""
        if index not in self._ctx.items:
            piece = await self.generate(str(index), seconds)
            await self._ctx.save_item(index, piece)
            self.note("saved", name=str(index), nonce=piece["nonce"])

    async def step(self, name: str, seconds: float) -> dict[str, Any]:
        """Make a named step, unless it is there."""
        piece = await self._ctx.step(name, lambda: self.generate(name, seconds), dict[str, Any])
        if piece["run"] == self._ctx.run:
            self.note("saved", name=name, nonce=piece["nonce"])
        return piece

    def result(self, pieces: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of this run, its last act."""
        found = pieces or {str(index): item for index, item in sorted(self._ctx.items.items())}
        self.note("finished")
        return {"run": self._ctx.run, "pieces": found}


@contextmanager
def diary_of(ctx: JobContext[Order]) -> Generator[Diary]:
    """Note how a run starts and how it stops."""
    diary = Diary(ctx)
    diary.started()
    try:
        yield diary
    except BaseException as error:
        diary.note("stopped", why=type(error).__name__)
        raise


def _nonce(value: bytes) -> str:
    return value.partition(b'"nonce":"')[2].partition(b'"')[0].decode()


def _kind(
    name: str,
    work: Callable[[JobContext[Order], Diary], Awaitable[dict[str, Any] | None]],
    timeout_seconds: float = DEADLINE_SECONDS,
) -> JobType:
    async def handle(ctx: JobContext[Order]) -> dict[str, Any]:
        with diary_of(ctx) as diary:
            return diary.result(await work(ctx, diary))

    return job_type(name, timeout_seconds=timeout_seconds, max_rescues=_RESCUES)(handle)


async def _items(ctx: JobContext[Order], diary: Diary) -> None:
    order = ctx.payload
    for index in range(order.count):
        await diary.item(index, order.seconds)
        if index == order.fails_at and ctx.attempt <= order.failing_attempts:
            raise TransientError("the model is busy", code="provider_unavailable")


async def _together(ctx: JobContext[Order], diary: Diary) -> None:
    order = ctx.payload
    async with asyncio.TaskGroup() as group:
        for index in range(order.count):
            group.create_task(diary.item(index, order.seconds * (1 + index)))


async def _steps(ctx: JobContext[Order], diary: Diary) -> dict[str, Any]:
    return {name: await diary.step(name, ctx.payload.seconds) for name in ("pieces", "story", "world")}


async def _broken(ctx: JobContext[Order], diary: Diary) -> None:
    """Fail for good half way, unless it is a retry by the user."""
    await _items(ctx, diary)
    if ctx.job_id == ctx.root_job_id:
        raise PermanentError("the model refused", code="content_refused")
    await diary.item(ctx.payload.count, ctx.payload.seconds)


async def _long(ctx: JobContext[Order], diary: Diary) -> None:
    for part in range(10):
        ctx.report(part / 10, f"Part {part}")
        await asyncio.sleep(ctx.payload.seconds)
    ctx.finalizing("Putting it together")


async def _quick(ctx: JobContext[Order], diary: Diary) -> None:
    """Do nothing."""


async def _blocking(ctx: JobContext[Order], diary: Diary) -> None:
    time.sleep(ctx.payload.seconds)  # noqa: ASYNC251 (a handler that starves the event loop)


async def _endless(ctx: JobContext[Order], diary: Diary) -> None:
    await asyncio.Event().wait()


REGISTRY: Final = JobRegistry().add(
    _kind("items", _items),
    _kind("together", _together),
    _kind("steps", _steps),
    _kind("broken", _broken),
    _kind("long", _long),
    _kind("quick", _quick),
    _kind("blocking", _blocking),
    _kind("endless", _endless, timeout_seconds=ENDLESS_SECONDS),
)
"""The job types of the loop."""
