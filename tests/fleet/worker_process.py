"""A worker as a process of its own: `python -m tests.fleet.worker_process URL LEDGER LEASE_SECONDS`.

Its handlers append to the ledger, a file outside Redis: `<job id> <run> <started|item <i>|finished>`.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from loresmith.jobs import JobContext, JobRegistry, Worker, job_type
from loresmith.jobs.connection import Connections
from tests.waiting import wait_until

LEDGER = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()


class Work(BaseModel):
    """How long the work takes and how many items it has; `wait_for` is a file that must appear first."""

    seconds: float = 0.0
    items: int = 0
    wait_for: str = ""


def note(ctx: JobContext[Any], what: str) -> None:
    """Append a line; small appends are atomic."""
    with LEDGER.open("a") as ledger:
        ledger.write(f"{ctx.job_id} {ctx.run} {what}\n")


@job_type("work")
async def work(ctx: JobContext[Work]) -> dict[str, Any]:
    """Take a while, checkpoint items, say which run this was."""
    note(ctx, "started")
    for index in range(ctx.payload.items):
        if index not in ctx.items:
            note(ctx, f"item {index}")
            await ctx.save_item(index, {"index": index, "run": ctx.run})
            await asyncio.sleep(ctx.payload.seconds / ctx.payload.items)
    if not ctx.payload.items:
        await asyncio.sleep(ctx.payload.seconds)
    if ctx.payload.wait_for:
        await wait_until(Path(ctx.payload.wait_for).exists, seconds=600)
    note(ctx, "finished")
    return {"run": ctx.run, "items": [ctx.items[index]["index"] for index in range(ctx.payload.items)]}


async def main() -> None:
    """Work until SIGTERM."""
    lease_seconds = float(sys.argv[3])
    worker = Worker(
        connections=Connections(sys.argv[1]),
        registry=JobRegistry().add(work),
        resources={},
        concurrency=100,
        lease_seconds=lease_seconds,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    task = asyncio.create_task(worker.run())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await task


if __name__ == "__main__":
    asyncio.run(main())
