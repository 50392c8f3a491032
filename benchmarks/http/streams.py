"""Event streams by the thousand: of jobs that change twice a second, and of jobs that end."""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from loresmith.jobs import Job, JobContext, JobManager, Options, State, job_type
from loresmith.jobs.claim import Begun
from loresmith.jobs.connection import Client
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.store import Store

_TICK_SECONDS: Final = 0.005
_CHUNK: Final = 250
_SENT: Final = re.compile(rb'event: (?:progress|status)\n(?:id: \d+\n)?data: \{[^\n]*?"message":"(\d+\.\d+)"')
_ENDED: Final = re.compile(rb'event: done\n(?:id: \d+\n)?data: \{[^\n]*?"result":(\d+\.\d+)')


class Wait(BaseModel):
    """How long a job takes."""

    seconds: float


@job_type("end_later", expected_seconds=10.0)
async def end_later(ctx: JobContext[Wait]) -> float:
    """Return the time at which the job ended, by the clock that all processes of the machine share."""
    await asyncio.sleep(ctx.payload.seconds)
    return time.monotonic()


class Stream(asyncio.Protocol):
    """One open stream; notes how long ago what arrives was sent."""

    def __init__(self, path: str, pattern: re.Pattern[bytes], delays_ms: list[float]) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
        self._pattern = pattern
        self._delays_ms = delays_ms
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport: Any = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if not self.begun.done() and b"event: " in data:
            self.begun.set_result(None)
        for sent in self._pattern.findall(data):
            self._delays_ms.append((now - float(sent)) * 1000)


async def open_streams(
    port: int, job_ids: Sequence[str], pattern: re.Pattern[bytes], delays_ms: list[float]
) -> list[Stream]:
    """Open a stream for each job and return once each has its first event."""
    loop, made = asyncio.get_running_loop(), list[Stream]()
    for start in range(0, len(job_ids), _CHUNK):
        paths = [f"/jobs/{job_id}/events" for job_id in job_ids[start : start + _CHUNK]]
        opened = [
            loop.create_connection(lambda path=path: Stream(path, pattern, delays_ms), "127.0.0.1", port)
            for path in paths
        ]
        streams = [stream for _, stream in await asyncio.gather(*opened)]
        await asyncio.gather(*(stream.begun for stream in streams))
        made += streams
    return made


class Fleet:
    """Stands for the workers of many jobs: holds their leases and writes their documents, spread over the time."""

    def __init__(self, redis: Client) -> None:
        pipeline = Pipeline(redis)
        self._store, self._queue = Store(pipeline), Queue(pipeline)
        self._runs: list[tuple[Job, str]] = []

    async def take(self, count: int) -> None:
        """Begin jobs that wait."""
        while len(self._runs) < count:
            claimed = await self._queue.claim("fleet", 100)
            begun = await asyncio.gather(*(self._store.begin(claim, "fleet") for claim in claimed.claims))
            for one in begun:
                assert isinstance(one, Begun)
                one.job.move(State.RUNNING)
                self._runs.append((one.job, one.lease))
            await asyncio.gather(*(self._write(job, lease) for job, lease in self._runs[-len(begun) :]))

    def _write(self, job: Job, lease: str) -> asyncio.Future[int]:
        job.message = f"{time.monotonic():.6f}"
        job.touch()
        return self._store.write(job, lease=lease, has_items=False)

    async def change(self, *, per_second: float, seconds: float) -> int:
        """Change each job so often a second, one after the other; returns how many changes there were."""
        started, written, sent = time.monotonic(), 0, set[asyncio.Future[int]]()
        rate = len(self._runs) * per_second
        while (passed := time.monotonic() - started) < seconds:
            for _ in range(int(passed * rate) - written):
                future = self._write(*self._runs[written % len(self._runs)])
                sent.add(future)
                future.add_done_callback(sent.discard)
                written += 1
            await asyncio.sleep(_TICK_SECONDS)
        await asyncio.gather(*sent)
        return written


async def changing(redis: Client, manager: JobManager, port: int, *, count: int, seconds: float) -> dict[str, Any]:
    """Open so many streams of jobs that change twice a second; returns delays in ms and their number."""
    ids: list[str] = []
    for _ in range(count // 100):
        submissions: list[tuple[str, object, Options]] = [("end_later", {"seconds": 1.0}, Options())] * 100
        ids += [job.id for job in await manager.create_all(submissions)]
    fleet = Fleet(redis)
    await fleet.take(count)
    delays_ms: list[float] = []
    streams = await open_streams(port, ids, _SENT, delays_ms)
    await fleet.change(per_second=2.0, seconds=2.0)
    await asyncio.sleep(1.0)
    delays_ms.clear()
    written = await fleet.change(per_second=2.0, seconds=seconds)
    await asyncio.sleep(1.0)
    return {"delays_ms": sorted(delays_ms), "written": written, "streams": streams}


async def ending(manager: JobManager, port: int, *, count: int, seconds: float) -> list[float]:
    """Follow jobs that a worker runs, which end one after the other; returns sorted delays in ms from end to client."""
    submissions: list[tuple[str, object, Options]] = [
        ("end_later", {"seconds": 2.0 + seconds * place / count}, Options()) for place in range(count)
    ]
    ids = [job.id for job in await manager.create_all(submissions)]
    delays_ms: list[float] = []
    await open_streams(port, ids, _ENDED, delays_ms)
    await asyncio.sleep(seconds + 5.0)
    return sorted(delays_ms)
