"""RQ: SimpleWorker, which runs one job at a time without a fork."""

import time

import harness
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job


def noop(n):
    """Does nothing."""
    return n


def note(n):
    """Notes how long it waited."""
    harness.note_latency(n)
    return 1


def hold(n):
    """Takes its time."""
    time.sleep(n)
    return 1


class Rq(harness.System):
    """One job at a time; results are kept for a day."""

    threads = True

    async def open(self):
        """Connect."""
        self.queue = Queue(connection=Redis.from_url(self.url))

    def submit(self, kind, argument):
        """Submit one job."""
        return self.queue.enqueue(f"rq_peer.{kind}", argument, result_ttl=86_400).id

    def result(self, handle):
        """Read the stored result."""
        return Job.fetch(handle, connection=self.queue.connection).return_value()

    def work(self):
        """Run the worker."""
        redis = Redis.from_url(self.url)
        worker = SimpleWorker([Queue(connection=redis)], connection=redis, log_job_description=False)
        harness.settle_garbage()
        worker.work(logging_level="ERROR")


if __name__ == "__main__":
    harness.main(Rq)
