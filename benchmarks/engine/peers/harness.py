"""What every measured system does alike: as a worker, or as the one producer, driven line by line over stdin.

    python ours.py worker --url redis://… --concurrency 100 --notes FILE
    python ours.py producer --url redis://… --notes FILE

Both say `ready` once everything is imported. A worker starts at the next line; a producer answers each line, a JSON
object, with one. Standard library only: it runs in the environment of every system.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

SUBMITTERS = 32
PROGRESS_SECONDS = 0.5


class System:
    """One system under test; `submit` and `result` are coroutines, or plain methods when `threads` is set."""

    threads = False
    concurrency = 100
    """Jobs at once for no-op jobs: the best of those that were tried."""

    def __init__(self, url, notes, concurrency):
        self.url = url
        self.concurrency = concurrency or self.concurrency
        os.environ["BENCH_NOTES"] = notes or ""

    async def open(self):
        """Connect as a producer."""

    def submit(self, kind, argument):
        """Submit one job `noop`, `note`, `hold` or `advance`; return what `result` takes."""
        raise NotImplementedError

    def result(self, handle):
        """Return the stored result of a job that ended."""
        raise NotImplementedError

    def work(self):
        """Run the worker until the process is stopped; uses an event loop of its own."""
        raise NotImplementedError


def note(*parts):
    """Append a line to the file of notes: written at once, by any process."""
    line = " ".join(str(part) for part in parts) + "\n"
    fd = os.open(os.environ["BENCH_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)


def note_latency(sent):
    """Note how long ago a job was submitted, in seconds; the clock is the same for all processes of a machine."""
    note("latency", time.monotonic() - sent)


def main(system_class):
    """Be what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["worker", "producer"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--notes", default="")
    parser.add_argument("--concurrency", type=int, default=0)
    arguments = parser.parse_args()
    system = system_class(arguments.url, arguments.notes, arguments.concurrency)
    if arguments.role == "worker":
        _say("ready")
        if sys.stdin.readline():
            threading.Thread(target=_end_with_parent, daemon=True).start()
            system.work()
    elif system.threads:
        _produce_in_threads(system)
    else:
        run_loop(_produce(system))


def run_loop(coroutine):
    """Run a coroutine on uvloop where the system's environment has it."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


def settle_garbage():
    """Collect and freeze what start-up made, as `loresmith worker` does; every system gets the same."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _end_with_parent():
    sys.stdin.read()
    os._exit(1)


def _say(what):
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


async def _produce(system):
    await system.open()
    loop = asyncio.get_running_loop()
    settle_garbage()
    _say("ready")
    handles = []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "submit":
            handles, seconds = await _submit(system, order)
            _say(json.dumps({"seconds": seconds}))
        elif order["do"] == "verify":
            _say(json.dumps({"readable": await _verify(system, handles)}))


async def _submit(system, order):
    kind, left = order["kind"], iter(range(order["count"]))
    started = time.perf_counter()
    if "per_second" in order:
        handles = await _paced(system, kind, left, order["per_second"])
        return handles, time.perf_counter() - started
    handles = []

    async def one_after_another():
        for number in left:
            handles.append(await system.submit(kind, order.get("argument", number + 1)))

    await asyncio.gather(*(one_after_another() for _ in range(order.get("submitters", SUBMITTERS))))
    return handles, time.perf_counter() - started


async def _paced(system, kind, left, per_second):
    handles, started = [], time.monotonic()
    for number in left:
        await asyncio.sleep(max(0.0, started + number / per_second - time.monotonic()))
        handles.append(await system.submit(kind, time.monotonic()))
    return handles


async def _verify(system, handles):
    found = 0
    for start in range(0, len(handles), SUBMITTERS):
        some = handles[start : start + SUBMITTERS]
        found += sum(value is not None for value in await asyncio.gather(*(system.result(one) for one in some)))
    return found


def _produce_in_threads(system):
    asyncio.run(system.open())
    settle_garbage()
    _say("ready")
    handles = []
    while line := sys.stdin.readline():
        order = json.loads(line)
        if order["do"] == "submit":
            handles, seconds = _submit_in_threads(system, order)
            _say(json.dumps({"seconds": seconds}))
        elif order["do"] == "verify":
            _say(json.dumps({"readable": sum(system.result(one) is not None for one in handles)}))


def _submit_in_threads(system, order):
    kind, left, lock = order["kind"], iter(range(order["count"])), threading.Lock()
    handles, started = [], time.perf_counter()
    if "per_second" in order:
        first = time.monotonic()
        for number in left:
            time.sleep(max(0.0, first + number / order["per_second"] - time.monotonic()))
            handles.append(system.submit(kind, time.monotonic()))
        return handles, time.perf_counter() - started

    def one_after_another():
        while True:
            with lock:
                number = next(left, None)
            if number is None:
                return
            handles.append(system.submit(kind, order.get("argument", number + 1)))

    with ThreadPoolExecutor(SUBMITTERS) as pool:
        for future in [pool.submit(one_after_another) for _ in range(SUBMITTERS)]:
            future.result()
    return handles, time.perf_counter() - started
