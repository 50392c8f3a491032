"""How many streams one lore process carries at once.

    python -m benchmarks.lore.streams [--streams 500] [--seconds 10] [--tokens-per-second 20]

The service is a process of its own with the fake provider, whose tokens come on time; this process reads all streams.
Printed: how many finished, how late (from the begin of a call to its last event, less what the model took), and what
the service took of the machine. All calls begin at the same moment, which is the worst case for those at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass, field

import psutil
import uvloop

from benchmarks.lore.overhead import ORDER
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import FieldsDone, Final
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.server import LoreServer
from loresmith.telemetry import configure_logging

SERVE = "--serve"


@dataclass
class Stream:
    """What one call came to."""

    begun: float = 0.0
    ended: float = 0.0
    events: int = 0
    finished: bool = False
    error: str = ""


@dataclass
class Watch:
    """Samples of the service's process."""

    process: psutil.Process
    cpu: list[float] = field(default_factory=list[float])
    memory: list[int] = field(default_factory=list[int])

    async def run(self) -> None:
        """Looks once a second."""
        self.process.cpu_percent()
        while True:
            await asyncio.sleep(1)
            self.cpu.append(self.process.cpu_percent())
            self.memory.append(self.process.memory_info().rss)


async def read(model: GrpcLoreModel, stream: Stream) -> None:
    """Reads one stream to its end."""
    stream.begun = time.perf_counter()
    try:
        async with aclosing(model.generate(ORDER, timeout_seconds=300)) as events:
            async for event in events:
                stream.events += isinstance(event, FieldsDone)
                stream.finished = stream.finished or isinstance(event, Final)
    except Exception as error:
        stream.error = repr(error)
    stream.ended = time.perf_counter()


async def measure(arguments: argparse.Namespace, port: int, pid: int) -> None:
    """Runs all streams at once and prints the figures."""
    model = GrpcLoreModel(f"127.0.0.1:{port}")
    await read(model, Stream())
    process = psutil.Process(pid)
    idle = process.memory_info().rss
    watch = Watch(process)
    watching = asyncio.create_task(watch.run())
    streams = [Stream() for _ in range(arguments.streams)]
    await asyncio.gather(*(read(model, stream) for stream in streams))
    watching.cancel()
    await model.close()
    report(arguments, streams, watch, idle)


def report(arguments: argparse.Namespace, streams: list[Stream], watch: Watch, idle: int) -> None:
    """Prints what came of it."""
    lag = sorted(stream.ended - stream.begun - arguments.seconds for stream in streams)
    finished = sum(stream.finished for stream in streams)
    events = sum(stream.events for stream in streams)
    tokens = round(arguments.seconds * arguments.tokens_per_second)
    print(f"{arguments.streams} streams of {tokens} tokens in {arguments.seconds:g} s: {finished} finished")
    for error in sorted({stream.error for stream in streams if stream.error}):
        print(f"  {error}")
    median, p99, most = (at(lag, share) for share in (0.5, 0.99, 1.0))
    print(f"end of a stream, late by: median {median:.0f} ms, p99 {p99:.0f} ms, most {most:.0f} ms")
    print(f"events read: {events} ({events / arguments.seconds:.0f}/s)")
    print(f"service: CPU mean {statistics.mean(watch.cpu):.0f} %, most {max(watch.cpu):.0f} % of one core")
    grown = (max(watch.memory) - idle) / arguments.streams / 1024
    print(f"service: memory {max(watch.memory) / 1e6:.0f} MB, {idle / 1e6:.0f} MB before, {grown:.0f} KB a stream")


def at(ordered: list[float], share: float) -> float:
    """The quantile in ms."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def serve(arguments: argparse.Namespace) -> None:
    """Runs the service until its parent closes the pipe; prints the port."""
    configure_logging("warning", "console")  # else nobody reads what fills the pipe
    tokens = round(arguments.seconds * arguments.tokens_per_second)
    name = f"fake?seconds={arguments.seconds}&tokens={tokens}&slots={arguments.streams + 1}"
    server = LoreServer(find_provider(name))
    print("port", await server.start("127.0.0.1:0"), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


def main() -> None:
    """Starts the service and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--tokens-per-second", type=float, default=20.0)
    parser.add_argument(SERVE, action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        uvloop.run(serve(arguments))
        return
    command = [sys.executable, "-m", "benchmarks.lore.streams", *sys.argv[1:], SERVE]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        lines = (line.split() for line in service.stdout)
        port = next(int(words[1]) for words in lines if words[0] == "port")
        uvloop.run(measure(arguments, port, service.pid))
        service.kill()


if __name__ == "__main__":
    main()
