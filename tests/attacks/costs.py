"""What one request costs the event loop and the memory of the API, measured without a network."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import FastAPI

HELD_SECONDS = 0.020
"""A request may not hold the loop for longer at once."""
MOST_BYTES = 20 * 1024 * 1024
"""A request may not need more memory, what it sends included."""
_TRIES = 4
_STATUS: Final = Path("/proc/self/status")
_PEAK_RESET: Final = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Ask:
    """A request, as it is sent."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hangs_up: bool = False
    """Whether the client leaves once the answer has begun: a stream has no end of its own."""

    def __str__(self) -> str:
        return f"{self.method} {self.path[:80]} with {len(self.body)} bytes, {self.body[:60]!r}"


@dataclass(frozen=True)
class Cost:
    """What a request took: the longest that it held the loop, all of its time there (CPU of the thread), and memory."""

    status: int
    held_seconds: float
    loop_seconds: float
    peak_bytes: int = 0


class _Steps:
    """The CPU time of the loop's thread, step by step."""

    def __init__(self) -> None:
        self.longest = self.total = 0.0

    def note(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        self.total += seconds


@contextmanager
def stepping() -> Generator[_Steps]:
    """Measure each step that the running loop takes.

    CPU time of this thread, so that neither other processes nor work in other threads counts. The garbage collector
    stays out: what it takes depends on all that was done before.
    """
    steps, run = _Steps(), asyncio.Handle._run

    def measured(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        steps.note(time.thread_time() - began)

    gc.collect()
    gc.disable()
    asyncio.Handle._run = measured  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield steps
    finally:
        asyncio.Handle._run = run
        gc.enable()


async def cost_of(app: FastAPI, ask: Ask, bearer: str) -> Cost:
    """Return what a request costs: the least of several tries, since any of them may be disturbed."""
    best: Cost | None = None
    for _ in range(_TRIES):
        with stepping() as steps:
            status = await asyncio.create_task(answer(app, ask, bearer))
        cost = Cost(status, steps.longest, steps.total)
        best = cost if best is None or cost.held_seconds < best.held_seconds else best
        if best.held_seconds < HELD_SECONDS / 2:
            break
    assert best is not None
    return best


async def memory_of(app: FastAPI, ask: Ask, bearer: str) -> int:
    """Return by how many bytes a request makes the process grow at its peak: pages that it touches, in any library."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # else memory that others have given back would hide what it takes
    _PEAK_RESET.write_text("5")
    before = _memory("VmRSS")
    await answer(app, ask, bearer)
    return _memory("VmHWM") - before


def _memory(name: str) -> int:
    """Return a figure of proc(5) on this process, in bytes: `VmRSS` now, `VmHWM` at most since it was reset."""
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


async def answer(app: FastAPI, ask: Ask, bearer: str) -> int:
    """Send a request in chunks, as a server would, and return the status of its answer."""
    url = urlsplit(ask.path)
    headers = {"host": "localhost", "content-type": "application/json", "authorization": f"Bearer {bearer}"}
    headers |= {"content-length": str(len(ask.body)), **{name.lower(): text for name, text in ask.headers.items()}}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": {},
    }
    chunks = [ask.body[start : start + 65_536] for start in range(0, len(ask.body), 65_536)] or [b""]
    leaving = asyncio.Event()
    found = 0

    async def receive() -> dict[str, Any]:
        if chunks:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}
        await leaving.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal found
        if message["type"] == "http.response.start":
            found = message["status"]
        elif ask.hangs_up:
            leaving.set()

    await app(scope, receive, send)
    return found
