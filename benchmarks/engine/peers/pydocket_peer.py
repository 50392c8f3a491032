"""pydocket: Docket and Worker."""

import asyncio
from datetime import timedelta

import harness
from docket import Docket, Progress, TaskKey, Worker
from docket.execution import ExecutionProgress


async def noop(n: float) -> float:
    """Does nothing."""
    return n


async def note(n: float) -> int:
    """Notes how long it waited."""
    harness.note_latency(n)
    return 1


async def hold(n: float, key: str = TaskKey()) -> int:
    """Takes its time, and notes its start and its end."""
    harness.note("start", key)
    await asyncio.sleep(n)
    harness.note("end", key)
    return 1


async def advance(n: float, progress: ExecutionProgress = Progress()) -> int:
    """Takes its time, and reports progress twice a second."""
    steps = int(n / harness.PROGRESS_SECONDS)
    await progress.set_total(steps)
    for _ in range(steps):
        await asyncio.sleep(harness.PROGRESS_SECONDS)
        await progress.increment()
    return 1


LOOK = timedelta(milliseconds=10)


class Pydocket(harness.System):
    """Results are kept for a day."""

    async def open(self):
        """Connect."""
        self.docket = await self._open().__aenter__()

    def _open(self):
        return Docket(name="docket", url=f"{self.url}?max_connections=6000", execution_ttl=timedelta(days=1))

    async def submit(self, kind, argument):
        """Submit one job."""
        return (
            await self.docket.add({"noop": noop, "note": note, "hold": hold, "advance": advance}[kind])(argument)
        ).key

    async def result(self, handle):
        """Read the stored result."""
        execution = await self.docket.get_execution(handle)
        return await execution.get_result(timeout=timedelta(seconds=1))

    def work(self):
        """Run the worker."""
        harness.run_loop(self._work())

    async def _work(self):
        async with self._open() as docket:
            for task in (noop, note, hold, advance):
                docket.register(task)
            async with Worker(
                docket, concurrency=self.concurrency, minimum_check_interval=LOOK, scheduling_resolution=LOOK
            ) as worker:
                harness.settle_garbage()
                await worker.run_forever()


if __name__ == "__main__":
    harness.main(Pydocket)
