"""Celery: Redis broker and result backend (in another database, so that results can be counted)."""

import time

import harness
from celery import Celery


def build(url):
    """Return an app and its tasks."""
    app = Celery("bench", broker=url, backend=f"{url.rpartition('/')[0]}/1")
    app.conf.update(
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=16,
        task_ignore_result=False,
        broker_pool_limit=harness.SUBMITTERS,
        broker_connection_retry_on_startup=True,
    )

    @app.task(name="noop")
    def noop(n):
        return n

    @app.task(name="note")
    def note(n):
        harness.note_latency(n)
        return 1

    @app.task(name="hold", bind=True)
    def hold(self, n):
        harness.note("start", self.request.id)
        time.sleep(n)
        harness.note("end", self.request.id)
        return 1

    return app, {"noop": noop, "note": note, "hold": hold}


class CeleryPeer(harness.System):
    """One process with a pool of threads."""

    threads = True
    concurrency = 8

    async def open(self):
        """Connect."""
        self.app, self.tasks = build(self.url)

    def submit(self, kind, argument):
        """Submit one job."""
        return self.tasks[kind].delay(argument).id

    def result(self, handle):
        """Read the stored result."""
        result = self.app.AsyncResult(handle)
        return result.result if result.successful() else None

    def work(self):
        """Run the worker."""
        app, _ = build(self.url)
        harness.settle_garbage()
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR")
        app.worker_main(["worker", "--pool=threads", f"--concurrency={self.concurrency}", *quiet])


if __name__ == "__main__":
    harness.main(CeleryPeer)
