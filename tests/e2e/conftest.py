"""Real `loresmith` processes, started and looked at from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.loaded import Child, Loaded
from tests.waiting import wait_until

FAKE = "fake?seconds=0.2&tokens=40&seed=1"
START_SECONDS = 50.0

Process = asyncio.subprocess.Process | Child


@dataclass
class Run:
    """A running `loresmith` process."""

    process: Process
    http: httpx2.AsyncClient

    @property
    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; returns exit code and seconds until the end."""
        started = time.monotonic()
        self.process.send_signal(number)
        code = await self.process.wait()
        return code, time.monotonic() - started

    async def submit(self, count: int = 3) -> str:
        return await self.submit_type("generate_characters", {"theme": "fantasy", "count": count})

    async def submit_type(self, name: str, payload: dict[str, Any]) -> str:
        response = await self.http.post("/jobs", json={"type": name, "payload": payload})
        assert response.status_code == 202, response.text
        return response.json()["id"]

    async def job(self, job_id: str) -> dict[str, Any]:
        return (await self.http.get(f"/jobs/{job_id}")).json()

    async def is_processing(self, job_id: str) -> bool:
        return (await self.job(job_id))["status"] == "processing"

    async def first_item(self, job_id: str) -> None:
        """Return when an item is there and the job still runs."""

        async def partly() -> bool:
            job = await self.job(job_id)
            assert not job["done"], job
            return bool(job["items"])

        await wait_until(partly, seconds=120)

    async def ended(self, job_id: str, *, seconds: float = 30.0) -> dict[str, Any]:
        async def done() -> dict[str, Any] | None:
            job = await self.job(job_id)
            return job if job.get("done") else None  # a problem while Redis is away

        job = await wait_until(done, seconds=seconds)
        assert job is not None
        return job


Start = Callable[..., Awaitable[Run]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def loresmith() -> str:
    """The command, as it is installed beside the Python that runs the tests."""
    return str(Path(sys.executable).with_name("loresmith"))


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """The developer's environment without their settings, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LORESMITH_")}
    chosen = {"data_dir": str(data_dir), "model": FAKE, "port": str(free_port()), **settings}
    return {**kept, **{f"LORESMITH_{name.upper()}": value for name, value in chosen.items()}}


async def spawn(data_dir: Path, *words: str, **settings: str) -> asyncio.subprocess.Process:
    """Start `loresmith WORDS…` with an empty working directory and a session of its own."""
    return await asyncio.create_subprocess_exec(
        *(loresmith(), *words),
        env=environment(data_dir, **settings),
        cwd=data_dir.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def alone_fails(data_dir: Path, *words: str, **settings: str) -> str:
    """Run a command in a process of its own that must fail; returns the one line that it wrote."""
    process = await spawn(data_dir, *(words or ("run",)), **settings)
    async with asyncio.timeout(START_SECONDS):
        _, err = await process.communicate()
    return _one_line(process.returncode, err.decode())


def _one_line(code: int | None, errors: str) -> str:
    lines = errors.splitlines()
    assert code == 1, lines
    assert len(lines) == 1, lines
    return lines[0]


Fails = Callable[..., Awaitable[str]]
ProcessOf = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture
def fails(loaded: Loaded) -> Fails:
    """Runs a command that must fail; returns the one line that it wrote."""

    async def fails(data_dir: Path, *words: str, **settings: str) -> str:
        process = await _forked(loaded, data_dir, *(words or ("run",)), **settings)
        async with asyncio.timeout(START_SECONDS):
            _, err = await process.communicate()
        return _one_line(process.returncode, err.decode())

    return fails


@pytest.fixture
def forked(loaded: Loaded) -> ProcessOf:
    """As `process_of`, and each process is one that has loaded LoreSmith already."""
    return forking(loaded)


def forking(loaded: Loaded) -> ProcessOf:
    @asynccontextmanager
    async def forked(data_dir: Path, *words: str, **settings: str) -> AsyncGenerator[Process]:
        async with _killed_at_the_end(await _forked(loaded, data_dir, *words, **settings)) as process:
            yield process

    return forked


async def _forked(loaded: Loaded, data_dir: Path, *words: str, **settings: str) -> Process:
    variables = environment(data_dir, **settings)
    if not loaded.can_run(variables):
        return await spawn(data_dir, *words, **settings)
    return await loaded.run(*words, environment=variables, directory=data_dir.parent)


@pytest.fixture
async def start(short_tmp: Path, loaded: Loaded) -> AsyncIterator[Start]:
    """Starts `loresmith run` and returns when it is ready; what still runs at the end is killed."""
    async with AsyncExitStack() as stack:

        async def start(data_dir: Path = short_tmp / "data", **settings: str) -> Run:
            return await stack.enter_async_context(running(data_dir, of=forking(loaded), **settings))

        yield start


@asynccontextmanager
async def process_of(data_dir: Path, *words: str, **settings: str) -> AsyncGenerator[Process]:
    """A `loresmith` process, started as a user starts it, that is killed at the end if it still runs."""
    async with _killed_at_the_end(await spawn(data_dir, *words, **settings)) as process:
        yield process


@asynccontextmanager
async def running(data_dir: Path, *, of: ProcessOf = process_of, **settings: str) -> AsyncGenerator[Run]:
    """A `loresmith run` that is ready."""
    port = settings.setdefault("port", str(free_port()))
    async with (
        of(data_dir, "run", **settings) as process,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
    ):
        await wait_until(lambda: is_ready(process, client), seconds=START_SECONDS)
        yield Run(process, client)


@asynccontextmanager
async def _killed_at_the_end(process: Process) -> AsyncGenerator[Process]:
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def is_ready(process: Process, client: httpx2.AsyncClient) -> bool:
    assert process.returncode is None, "loresmith ended: " + (await process.communicate())[1].decode()
    try:
        return (await client.get("/readyz", timeout=START_SECONDS)).status_code == 200
    except httpx2.TransportError:
        return False
