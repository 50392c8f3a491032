"""The API on a real Redis: in process, and behind a real server for what only sockets can show."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from loresmith.api import create_app
from loresmith.api.protocol import BoundedProtocol
from loresmith.bootstrap import build_manager, build_registry
from loresmith.db import Database, SqliteFile, Worlds
from loresmith.jobs import JobContext, JobManager, JobRegistry, PermanentError, TransientError, Worker, job_type
from loresmith.jobs.connection import Connections
from tests.pacing import QUICK
from tests.waiting import wait_until


class Verse(BaseModel):
    """An item."""

    text: str


class VersePayload(BaseModel):
    """A payload with something of everything."""

    model_config = ConfigDict(extra="forbid")

    about: str = Field(min_length=1, max_length=60)
    count: int = Field(default=2, ge=1, le=10)
    words: dict[str, Any] = Field(default_factory=dict[str, Any])


@job_type("write_verses", description="Verses for tests", expected_seconds=1)
async def write_verses(ctx: JobContext[VersePayload, Verse]) -> list[Verse]:
    verses = [Verse(text=f"{ctx.payload.about} {i}") for i in range(ctx.payload.count)]
    for i, verse in enumerate(verses):
        await ctx.save_item(i, verse)
    return verses


class Play(BaseModel):
    """A payload that says what the handler does, step by step."""

    model_config = ConfigDict(extra="forbid")

    steps: list[str] = Field(default_factory=list)


cues: dict[str, asyncio.Event] = {}
"""What a step `wait:<name>` waits for."""


@job_type("play", description="Does what it is told", expected_seconds=1, max_attempts=3)
async def play(ctx: JobContext[Play, Verse]) -> list[Verse]:
    for place, step in enumerate(ctx.payload.steps):
        name, _, value = step.partition(":")
        match name:
            case "item" if int(value) not in ctx.items:
                await ctx.save_item(int(value), Verse(text=f"{value}\n\u2028 of {ctx.job_id}"))
            case "big" if int(value) not in ctx.items:
                await ctx.save_item(int(value), Verse(text="x" * 60_000))
            case "report":
                ctx.report(float(value), f"at step {place}")
            case "finalize":
                ctx.finalizing("Finalizing...")
            case "wait":
                await cues[value].wait()
            case "fail" if ctx.attempt <= int(value or 1):
                raise TransientError("not yet", code="provider_unavailable", retry_after_seconds=0.0)
            case "refuse":
                raise PermanentError("refused", code="content_refused")
            case _:
                await asyncio.sleep(0)
    return [ctx.items[index] for index in sorted(ctx.items)]


@pytest.fixture
def cue() -> Iterator[Callable[[str], asyncio.Event]]:
    """Makes what a step waits for."""

    def make(name: str) -> asyncio.Event:
        return cues.setdefault(name, asyncio.Event())

    yield make
    for event in cues.values():
        event.set()
    cues.clear()


@pytest.fixture
def registry() -> JobRegistry:
    return build_registry().add(write_verses, play)


@pytest.fixture
async def manager(redis: Any, registry: JobRegistry) -> AsyncIterator[JobManager]:
    manager = build_manager(redis, registry)
    yield manager
    await manager.close()


@pytest.fixture
async def worker(redis_url: str, registry: JobRegistry, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    """A worker that tries again at once."""
    monkeypatch.setattr("loresmith.jobs.worker._DUE_SECONDS", 0.05)
    worker = Worker(
        connections=Connections(redis_url),
        registry=registry,
        resources={},
        concurrency=50,
        grace_seconds=0.0,
        pacing=QUICK,
    )
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    worker.stop()
    await task


@pytest.fixture
async def database(tmp_path: Path, sqlite_tables: Path) -> AsyncIterator[Database]:
    """An empty SQLite file with its tables."""
    location = SqliteFile(tmp_path / "loresmith.sqlite3")
    shutil.copy(sqlite_tables, location.path)
    database = Database(location)
    yield database
    await database.close()


@pytest.fixture
def worlds(database: Database) -> Worlds:
    return Worlds(database)


@pytest.fixture
def app(manager: JobManager, worlds: Worlds) -> FastAPI:
    return create_app(manager, worlds, version="0.0.0")


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API without a network between them."""
    async with in_process(app) as client:
        yield client


@contextlib.asynccontextmanager
async def in_process(app: FastAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        yield client


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to pytest."""
        yield


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[tuple[str, int]]:
    """Host and port of a real server with the API."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = _Server(uvicorn.Config(app, http=BoundedProtocol, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await wait_until(lambda: server.started)
        yield listening.getsockname()
        server.should_exit = True
        await serving


@pytest.fixture
async def remote(address: tuple[str, int]) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API over a socket."""
    async with httpx2.AsyncClient(base_url=f"http://{address[0]}:{address[1]}", timeout=60) as client:
        yield client


async def submitted(api: httpx2.AsyncClient, *steps: str, **more: Any) -> str:
    """Submit a play and return its id."""
    answer = await api.post("/jobs", json={"type": "play", "payload": {"steps": list(steps)}, **more})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


async def job_of(api: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    """Return a job as it is now."""
    answer = await api.get(f"/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ended(api: httpx2.AsyncClient, job_id: str) -> dict[str, Any]:
    """Return a job once it has ended."""

    async def done() -> dict[str, Any] | None:
        job = await job_of(api, job_id)
        return job if job["done"] else None

    job = await wait_until(done)
    assert job is not None
    return job


async def reached(api: httpx2.AsyncClient, job_id: str, state: str) -> dict[str, Any]:
    """Return a job once it is in a state."""

    async def there() -> dict[str, Any] | None:
        job = await job_of(api, job_id)
        return job if job["state"] == state else None

    job = await wait_until(there)
    assert job is not None
    return job


def assert_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this problem, whole, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["type"] == f"urn:problem-type:loresmith:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return problem
