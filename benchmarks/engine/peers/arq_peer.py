"""arq: it polls, here every 10 ms instead of 0.5 s; results are not logged."""

import asyncio

import harness
from arq import create_pool
from arq.connections import RedisSettings
from arq.jobs import Job
from arq.worker import Worker


async def noop(ctx, n):
    """Does nothing."""
    return n


async def note(ctx, n):
    """Notes how long it waited."""
    harness.note_latency(n)
    return 1


async def hold(ctx, n):
    """Takes its time, and notes its start and its end."""
    harness.note("start", ctx["job_id"])
    await asyncio.sleep(n)
    harness.note("end", ctx["job_id"])
    return 1


class Arq(harness.System):
    """No progress."""

    async def open(self):
        """Connect."""
        self.pool = await create_pool(RedisSettings.from_dsn(self.url))

    async def submit(self, kind, argument):
        """Submit one job."""
        return (await self.pool.enqueue_job(kind, argument)).job_id

    async def result(self, handle):
        """Read the stored result."""
        info = await Job(handle, self.pool).result_info()
        return info.result if info and info.success else None

    def work(self):
        """Run the worker."""
        harness.run_loop(self._work())

    async def _work(self):
        worker = Worker(
            [noop, note, hold],
            redis_settings=RedisSettings.from_dsn(self.url),
            max_jobs=self.concurrency,
            poll_delay=0.01,
            log_results=False,
            handle_signals=False,
        )
        harness.settle_garbage()
        await worker.async_run()


if __name__ == "__main__":
    harness.main(Arq)
