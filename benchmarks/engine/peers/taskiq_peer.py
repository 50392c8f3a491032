"""taskiq with taskiq-redis: stream broker, result backend, orjson, no validation of parameters."""

import asyncio
import logging

import harness
from taskiq import Context, TaskiqDepends
from taskiq.api import run_receiver_task
from taskiq.depends.progress_tracker import ProgressTracker
from taskiq.serializers import ORJSONSerializer
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

logging.disable(logging.INFO)


def build(url):
    """Return a broker and its tasks."""
    results = RedisAsyncResultBackend(url, result_ex_time=86_400, serializer=ORJSONSerializer())
    broker = RedisStreamBroker(url, consumer_id="0").with_result_backend(results).with_serializer(ORJSONSerializer())

    @broker.task
    async def noop(n: float) -> float:
        return n

    @broker.task
    async def note(n: float) -> int:
        harness.note_latency(n)
        return 1

    @broker.task
    async def hold(n: float, context: Context = TaskiqDepends()) -> int:
        harness.note("start", context.message.task_id)
        await asyncio.sleep(n)
        harness.note("end", context.message.task_id)
        return 1

    @broker.task
    async def advance(n: float, tracker: ProgressTracker = TaskiqDepends()) -> int:
        steps = int(n / harness.PROGRESS_SECONDS)
        for step in range(steps):
            await asyncio.sleep(harness.PROGRESS_SECONDS)
            await tracker.set_progress("GENERATING", (step + 1) / steps)
        return 1

    return broker, {"noop": noop, "note": note, "hold": hold, "advance": advance}


class Taskiq(harness.System):
    """One receiver."""

    async def open(self):
        """Connect."""
        self.broker, self.tasks = build(self.url)
        await self.broker.startup()

    async def submit(self, kind, argument):
        """Submit one job."""
        return (await self.tasks[kind].kiq(argument)).task_id

    async def result(self, handle):
        """Read the stored result."""
        result = await self.broker.result_backend.get_result(handle)
        return None if result.is_err else result.return_value

    def work(self):
        """Run the receiver."""
        harness.run_loop(self._work())

    async def _work(self):
        broker, _ = build(self.url)
        harness.settle_garbage()
        await run_receiver_task(broker, validate_params=False, max_async_tasks=self.concurrency, run_startup=True)


if __name__ == "__main__":
    harness.main(Taskiq)
