"""Measures the API beside routes as FastAPI documents them: requests a second, event streams, news of an end.

    python -m benchmarks.http.run [--quick] [--only reads,submits,changes,ends] [--page]

The server has a core of its own; load generator, Valkey and worker share the other. Prints a table, writes JSON;
a run of some of the measures keeps what an earlier one has found of the others.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import uvloop

from benchmarks.engine.server import Server
from benchmarks.http.load import Load, get, load, post
from benchmarks.http.streams import changing, end_later, ending
from loresmith.bootstrap import build_manager, build_registry, connect
from loresmith.jobs import JobManager
from loresmith.jobs.connection import Client

RESULTS: Final = Path(__file__).parent / ".cache" / "results.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MARKS: Final = ("<!-- http figures -->\n", "<!-- end of http figures -->")
SUBMIT: Final = json.dumps({"type": "generate_characters", "payload": {"theme": "fantasy", "count": 3}}).encode()
MEASURES: Final = ("reads", "submits", "changes", "ends")
Row = tuple[str, str, str, str]


class Child:
    """A server or a worker as a process of its own, until the block ends."""

    def __init__(self, kind: str, redis_url: str, port: int) -> None:
        command = [sys.executable, "-m", "benchmarks.http.servers", kind, redis_url, str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._facts = psutil.Process(self._process.pid)

    @property
    def cpu_seconds(self) -> float:
        """What it has used of its core."""
        times = self._facts.cpu_times()
        return times.user + times.system

    @property
    def rss_kb(self) -> float:
        """Its memory."""
        return self._facts.memory_info().rss / 1024

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def child(kind: str, redis_url: str, port: int) -> Generator[Child]:
    """A process that ends with the block."""
    process = Child(kind, redis_url, port)
    try:
        yield process
    finally:
        process.stop()


class Bench:
    """One run: what was measured, by name."""

    def __init__(self, redis: Client, manager: JobManager, redis_url: str, *, quick: bool) -> None:
        self._redis: Any = redis
        self._manager = manager
        self._url = redis_url
        self._quick = quick
        self._port = 18_500
        self.figures: dict[str, Any] = {}

    async def reads(self) -> list[Row]:
        """GET of a completed job."""
        path = f"/jobs/{await self._completed()}"
        return await self._compare("GET /jobs/{id}", lambda: get(path), 200, goal=4.0)

    async def submits(self) -> list[Row]:
        """POST of a job."""
        return await self._compare("POST /jobs", lambda: post("/jobs", SUBMIT), 202, goal=2.5, empty=True)

    async def changes(self) -> list[Row]:
        """Streams of jobs that change twice a second."""
        count, seconds = (500, 3.0) if self._quick else (5_000, 10.0)
        with child("ours", self._url, self._next_port()) as server:
            await load(self._port, lambda: get("/healthz"), expected=200, seconds=0.5)
            before_kb, before_cpu, started = server.rss_kb, server.cpu_seconds, time.monotonic()
            found = await changing(self._redis, self._manager, self._port, count=count, seconds=seconds)
            cpu = (server.cpu_seconds - before_cpu) / (time.monotonic() - started)
            kb = (server.rss_kb - before_kb) / count
        delays: list[float] = found["delays_ms"]
        told = len(delays) / found["written"]
        self._note("changes", streams=count, told=told, kb_per_stream=kb, cpu=cpu, **_shares(delays))
        name = f"{count:,} streams, each job changes twice a second"
        return [
            (f"{name}: delivery p50", f"{_share(delays, 0.5):.1f} ms", "", ""),
            (f"{name}: delivery p99", f"{_share(delays, 0.99):.1f} ms", "< 30 ms", _verdict(_share(delays, 0.99) < 30)),
            (f"{name}: memory each", f"{kb:.1f} KB", "< 30 KB", _verdict(kb < 30)),
            (f"{name}: changes that were told", f"{told:.1%}", "", ""),
        ]

    async def ends(self) -> list[Row]:
        """Streams of jobs that a worker completes."""
        count, seconds = (100, 3.0) if self._quick else (1_000, 10.0)
        with child("ours", self._url, self._next_port()), child("worker", self._url, self._port):
            delays = await ending(self._manager, self._port, count=count, seconds=seconds)
        self._note("ends", jobs=count, told=len(delays), **_shares(delays))
        p99 = _share(delays, 0.99)
        return [
            ("end of a job to its client by stream: p50", f"{_share(delays, 0.5):.1f} ms", "", ""),
            ("end of a job to its client by stream: p99", f"{p99:.1f} ms", "< 50 ms", _verdict(p99 < 50)),
        ]

    async def _compare(
        self, name: str, request: Callable[[], bytes], expected: int, *, goal: float, empty: bool = False
    ) -> list[Row]:
        """Measure ours and the idiomatic route in turns, each time on an `empty` Redis or not, and return the medians.

        Raises RuntimeError when an answer was not the expected one: to refuse is cheap.
        """
        rounds, seconds = (1, 1.0) if self._quick else (5, 4.0)
        found: dict[str, list[tuple[Load, float]]] = {"idiomatic": [], "tuned": [], "ours": []}
        for _ in range(rounds):
            for kind, loads in found.items():
                if empty:
                    await self._redis.flushall()
                with child(kind, self._url, self._next_port()) as server:
                    await load(self._port, request, expected=expected, seconds=seconds / 4)
                    before = server.cpu_seconds
                    one = await load(self._port, request, expected=expected, seconds=seconds)
                    loads.append((one, (server.cpu_seconds - before) / len(one.times_ms) * 1e6))
        for kind, loads in found.items():
            rates = [one.rate for one, _ in loads]
            cpu = statistics.median(micros for _, micros in loads)
            p99 = statistics.median(one.share(0.99) for one, _ in loads)
            refused = sum(one.refused for one, _ in loads)
            if refused:
                raise RuntimeError(f"{name}, {kind}: {refused} answers were not {expected}")
            self._note(f"{name}, {kind}", rate=statistics.median(rates), cpu_us=cpu, p99_ms=p99)
        return self._rows(name, goal)

    def _rows(self, name: str, goal: float) -> list[Row]:
        plain, tuned, ours = (self.figures[f"{name}, {kind}"] for kind in ("idiomatic", "tuned", "ours"))
        times = ours["rate"] / plain["rate"]
        return [
            (f"{name}, as FastAPI documents it", _rate(plain), "", ""),
            (f"{name}, that with our settings of the garbage collection", _rate(tuned), "", ""),
            (f"{name}, ours", _rate(ours), "", ""),
            (f"{name}, ours to the first", f"{times:.1f} times", f"{goal:g} times", _verdict(times >= goal)),
        ]

    def _note(self, name: str, **figures: float) -> None:
        self.figures[name] = figures

    def _next_port(self) -> int:
        self._port += 1
        return self._port

    async def _completed(self) -> str:
        """Make a job that ended with three characters, about 2 KB, without a model."""
        job = await self._manager.create("generate_characters", {"theme": "fantasy", "count": 3})
        stored = json.loads(await self._redis.get(f"job:{job.id}"))
        one = {"name": "Kael", "description": "A wanderer of the northern marches. " * 9, "details": {"role": "ranger"}}
        stored |= {"status": "completed", "state": "completed", "done": True, "progress": 100, "result": [one] * 3}
        stored |= dict.fromkeys(("started_at", "completed_at", "expires_at"), stored["created_at"])
        order = {name: stored[name] for name in (*("id", "type", "status", "state", "done", "seq"), *stored)}
        await self._redis.set(f"job:{job.id}", json.dumps(order, separators=(",", ":")), ex=86_400)
        return job.id


def _rate(figures: dict[str, float]) -> str:
    return f"{figures['rate']:,.0f}/s ({figures['cpu_us']:.0f} µs of CPU each, p99 {figures['p99_ms']:.0f} ms)"


def _share(times: list[float], part: float) -> float:
    return times[min(len(times) - 1, int(len(times) * part))] if times else float("inf")


def _shares(times: list[float]) -> dict[str, float]:
    return {"p50_ms": _share(times, 0.5), "p99_ms": _share(times, 0.99), "most_ms": times[-1] if times else 0.0}


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


def table(rows: list[Row]) -> str:
    """Return the rows in Markdown."""
    lines = ["| | measured | goal | |", "|---|--:|--:|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


async def run(only: list[str], *, quick: bool) -> str:
    """Measure and return the table, with what earlier runs measured of the rest."""
    measured: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    with Server(append_only=False) as server:
        version = server.version
        os.sched_setaffinity(server.client.info("server")["process_id"], {1})
        async with connect(server.url) as redis:
            bench = Bench(redis, build_manager(redis, build_registry().add(end_later)), server.url, quick=quick)
            gc.collect()
            gc.freeze()
            for name in only:
                server.client.flushall()
                bench.figures = {}
                rows = await getattr(bench, name)()
                measured[name] = {"rows": rows, "figures": bench.figures}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(measured, indent=2), encoding="utf-8")
    where = f"{_cpu()}, {os.cpu_count()} cores, Python {platform.python_version()}, {version}"
    return f"{where}\n\n{table([row for name in MEASURES if name in measured for row in measured[name]['rows']])}\n"


def _cpu() -> str:
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return next((line.split(": ")[1] for line in facts.splitlines() if line.startswith("model name")), "unknown CPU")


def main() -> int:
    """Measure, print, and with `--page` put the table into docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="run everything once and small")
    parser.add_argument("--only", default=",".join(MEASURES), help="what to measure")
    parser.add_argument("--page", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {1})
    shown = uvloop.run(run(asked.only.split(","), quick=asked.quick))
    print(shown)
    if asked.page:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
        PAGE.write_text(f"{before}{MARKS[0]}{shown}{MARKS[1]}{rest.partition(MARKS[1])[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
