"""LoreSmith's engine as shipped: JobManager and Worker with their default settings."""

import asyncio
import signal

import harness
from pydantic import BaseModel

from loresmith.cli.whole import tune_garbage_collection
from loresmith.jobs import JobContext, JobManager, JobRegistry, Worker, job_type
from loresmith.jobs.connection import Connections


class Number(BaseModel):
    """The payload of every job here."""

    n: float


@job_type("noop")
async def noop(ctx: JobContext[Number]) -> float:
    """Does nothing."""
    return ctx.payload.n


@job_type("note")
async def note(ctx: JobContext[Number]) -> int:
    """Notes how long it waited."""
    harness.note_latency(ctx.payload.n)
    return 1


@job_type("hold")
async def hold(ctx: JobContext[Number]) -> int:
    """Takes its time, and notes its start and its end."""
    harness.note("start", ctx.job_id)
    await asyncio.sleep(ctx.payload.n)
    harness.note("end", ctx.job_id)
    return 1


@job_type("advance", timeout_seconds=600)
async def advance(ctx: JobContext[Number]) -> int:
    """Takes its time, and reports progress twice a second."""
    steps = int(ctx.payload.n / harness.PROGRESS_SECONDS)
    for step in range(steps):
        await asyncio.sleep(harness.PROGRESS_SECONDS)
        ctx.report((step + 1) / steps, "Generating...")
    return 1


REGISTRY = JobRegistry().add(noop, note, hold, advance)


class Ours(harness.System):
    """One process, one event loop."""

    concurrency = 200

    async def open(self):
        """Connect."""
        self.manager = JobManager(redis=Connections(self.url).client(), registry=REGISTRY)

    async def submit(self, kind, argument):
        """Submit one job."""
        return (await self.manager.create(kind, {"n": argument})).id

    async def result(self, handle):
        """Read the document, as a client does."""
        job = await self.manager.get(handle)
        return bytes(job.result) if job.status == "completed" else None

    def work(self):
        """Run a worker as `loresmith worker` does."""
        harness.run_loop(self._work())

    async def _work(self):
        worker = Worker(
            connections=Connections(self.url), registry=REGISTRY, resources={}, concurrency=self.concurrency
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        tune_garbage_collection()
        await worker.run()


if __name__ == "__main__":
    harness.main(Ours)
