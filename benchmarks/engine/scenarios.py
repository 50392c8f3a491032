"""What is measured: throughput, latency of pickup, many jobs in flight, recovery from a killed worker."""

import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from environments import python_of
from processes import Answer, Child
from server import Server
from systems import System

POLL_SECONDS = 0.005
HELD_JOBS = 50
HELD_SECONDS = 8.0
RECOVERY_LIMIT_SECONDS = 60.0
FLIGHT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bench:
    """One system on one empty server."""

    system: System
    server: Server
    notes: Path

    def worker(self, concurrency: int = 0) -> Child:
        """A worker that waits for its `go`."""
        return self._child("worker", "--concurrency", str(concurrency))

    def producer(self) -> Child:
        """The producer."""
        return self._child("producer")

    def _child(self, role: str, *options: str) -> Child:
        python = python_of(self.system.environment)
        return Child(python, self.system.module, role, "--url", self.server.url, "--notes", str(self.notes), *options)

    def wait(self, jobs: int, *, seconds: float = 300.0, submitted: Answer | None = None) -> float:
        """Return the time at which all jobs had a stored result."""
        ends = time.perf_counter() + seconds
        while True:
            sent = submitted is None or submitted.done
            left = self.system.unfinished(self.server.client, jobs)
            now = time.perf_counter()
            if sent and left <= 0:
                return now
            if now > ends:
                raise TimeoutError(f"{self.system.name}: {left} of {jobs} jobs unfinished after {seconds:g} s")
            time.sleep(POLL_SECONDS)

    def noted(self, what: str) -> list[str]:
        """The notes of one kind."""
        lines = self.notes.read_text(encoding="utf-8").splitlines() if self.notes.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{what} ")]


@contextmanager
def bench(system: System, *, append_only: bool = False) -> Generator[Bench]:
    """A fresh server for one measurement."""
    with tempfile.TemporaryDirectory(prefix="loresmith-bench-") as folder, Server(append_only=append_only) as server:
        yield Bench(system, server, Path(folder) / "notes")


def throughput(system: System, jobs: int, *, filled: bool, append_only: bool = False) -> dict[str, float]:
    """Jobs per second; `filled`: all are queued before the worker starts, else both run at the same time."""
    with bench(system, append_only=append_only) as b, b.worker() as worker, b.producer() as producer:
        if filled:
            producer.ask(do="submit", kind="noop", count=jobs)
            started = time.perf_counter()
            worker.go()
            ended = b.wait(jobs)
        else:
            worker.go()
            time.sleep(2.0)
            started = time.perf_counter()
            answer = producer.ask_later(do="submit", kind="noop", count=jobs)
            ended = b.wait(jobs, submitted=answer)
        cpu = worker.cpu_seconds()
        readable = producer.ask(do="verify")["readable"]
        return {
            "jobs_per_second": jobs / (ended - started),
            "worker_cpu_seconds": cpu,
            "without_result": jobs - readable,
        }


def latency(system: System, seconds: float) -> dict[str, float]:
    """Milliseconds from the call of submit to the first line of the handler, at 20 jobs a second."""
    with bench(system) as b, b.worker() as worker, b.producer() as producer:
        worker.go()
        time.sleep(2.0)
        count = int(seconds * 20)
        producer.ask(do="submit", kind="note", count=count, per_second=20)
        _until(lambda: len(b.noted("latency")) >= count, 30)
        found = sorted(float(text) * 1000 for text in b.noted("latency"))
        return {"p50_ms": found[len(found) // 2], "p99_ms": found[int(len(found) * 0.99)]}


def in_flight(system: System, jobs: int) -> dict[str, float]:
    """All jobs run at the same time for 10 s, with progress twice a second; they are queued before."""
    with bench(system) as b, b.worker(jobs) as worker, b.producer() as producer:
        producer.ask(do="submit", kind="advance", count=jobs, argument=FLIGHT_SECONDS)
        rss, cpu = worker.rss_bytes(), worker.cpu_seconds()
        started = time.perf_counter()
        worker.go()
        peak = rss
        while time.perf_counter() - started < FLIGHT_SECONDS - 0.5:
            time.sleep(0.25)
            peak = max(peak, worker.rss_bytes())
        total = b.wait(jobs, seconds=120) - started
        return {
            "cpu_seconds": worker.cpu_seconds() - cpu,
            "kb_per_job": (peak - rss) / jobs / 1000,
            "total_seconds": total,
        }


def recovery(system: System) -> dict[str, float | None]:
    """Seconds from `kill -9` until all 50 jobs were done again by a worker that was idle; None: not within 60 s."""
    with bench(system) as b, b.producer() as producer, b.worker(HELD_JOBS) as spare:
        with b.worker(HELD_JOBS) as victim:
            victim.go()
            time.sleep(2.0)
            producer.ask(do="submit", kind="hold", count=HELD_JOBS, argument=HELD_SECONDS)
            _until(lambda: len(b.noted("start")) >= HELD_JOBS, 10)
            spare.go()
            time.sleep(3.0)
            victim.kill()
            killed = time.monotonic()
        if not _until(lambda: len(set(b.noted("end"))) >= HELD_JOBS, RECOVERY_LIMIT_SECONDS + HELD_SECONDS):
            return {"seconds": None, "done_again": float(len(set(b.noted("end"))))}
        return {"seconds": time.monotonic() - killed, "done_again": float(HELD_JOBS)}


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
