"""SAQ: RedisQueue, one worker."""

import asyncio

import harness
from saq import Queue, Worker


async def noop(ctx, *, n):
    """Does nothing."""
    return n


async def note(ctx, *, n):
    """Notes how long it waited."""
    harness.note_latency(n)
    return 1


async def hold(ctx, *, n):
    """Takes its time, and notes its start and its end."""
    harness.note("start", ctx["job"].key)
    await asyncio.sleep(n)
    harness.note("end", ctx["job"].key)
    return 1


async def advance(ctx, *, n):
    """Takes its time, and reports progress twice a second."""
    steps = int(n / harness.PROGRESS_SECONDS)
    for step in range(steps):
        await asyncio.sleep(harness.PROGRESS_SECONDS)
        await ctx["job"].update(progress=(step + 1) / steps)
    return 1


class Saq(harness.System):
    """`max_concurrent_ops` lets all 32 submitters in; jobs may take longer than the default 10 s; results are kept."""

    async def open(self):
        """Connect."""
        self.queue = Queue.from_url(self.url, max_concurrent_ops=harness.SUBMITTERS)
        await self.queue.connect()

    async def submit(self, kind, argument):
        """Submit one job."""
        return (await self.queue.enqueue(kind, n=argument, ttl=86_400, timeout=60)).key

    async def result(self, handle):
        """Read the job."""
        job = await self.queue.job(handle)
        return job.result if job and job.status == "complete" else None

    def work(self):
        """Run the worker."""
        harness.run_loop(self._work())

    async def _work(self):
        queue = Queue.from_url(self.url, max_concurrent_ops=100)
        worker = Worker(queue, [noop, note, hold, advance], concurrency=self.concurrency)
        harness.settle_garbage()
        await worker.start()


if __name__ == "__main__":
    harness.main(Saq)
