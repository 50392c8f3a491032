"""Dramatiq: Redis broker with a results backend; threads."""

import asyncio  # noqa: F401 - warms what the harness uses
import signal
import time

import dramatiq
import harness
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend


def build(url):
    """Return a broker, its results and its actors."""
    broker, backend = RedisBroker(url=url), RedisBackend(url=url)
    broker.add_middleware(Results(backend=backend, store_results=True, result_ttl=86_400_000))
    dramatiq.set_broker(broker)

    @dramatiq.actor
    def noop(n):
        return n

    @dramatiq.actor
    def note(n):
        harness.note_latency(n)
        return 1

    @dramatiq.actor
    def hold(n, name):
        harness.note("start", name)
        time.sleep(n)
        harness.note("end", name)
        return 1

    return broker, backend, {"noop": noop, "note": note, "hold": hold}


class Dramatiq(harness.System):
    """One process, as `dramatiq --processes 1`."""

    threads = True
    concurrency = 8

    async def open(self):
        """Connect."""
        self.broker, self.backend, self.actors = build(self.url)
        self.names = iter(range(1_000_000_000))

    def submit(self, kind, argument):
        """Submit one job."""
        more = (f"job-{next(self.names)}",) if kind == "hold" else ()
        return self.actors[kind].send(argument, *more)

    def result(self, handle):
        """Read the stored result."""
        return handle.get_result(backend=self.backend)

    def work(self):
        """Run the worker."""
        broker, _, _ = build(self.url)
        worker = dramatiq.Worker(broker, worker_threads=self.concurrency)
        harness.settle_garbage()
        worker.start()
        signal.pause()


if __name__ == "__main__":
    harness.main(Dramatiq)
