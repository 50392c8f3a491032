"""The API on a real Redis: in process, and behind a real server for what only sockets can show."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from loresmith.api import create_app
from loresmith.bootstrap import build_manager, build_registry
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.jobs import JobContext, JobManager, JobRegistry, job_type
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


@job_type("write_verses", description="Verses for tests", item=Verse, expected_seconds=1)
async def write_verses(ctx: JobContext[VersePayload]) -> list[Verse]:
    verses = [Verse(text=f"{ctx.payload.about} {i}") for i in range(ctx.payload.count)]
    for i, verse in enumerate(verses):
        await ctx.save_item(i, verse)
    return verses


@pytest.fixture
def registry() -> JobRegistry:
    return build_registry().add(write_verses)


@pytest.fixture
async def manager(redis: Any, registry: JobRegistry) -> JobManager:
    return build_manager(redis, registry)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty SQLite file with its tables."""
    location = locate(None, data_dir=tmp_path)
    await migrate(location)
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
    async with httpx2.AsyncClient(transport=transport, base_url="http://loresmith") as client:
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
        server = _Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await wait_until(lambda: server.started)
        yield listening.getsockname()
        server.should_exit = True
        await serving


@pytest.fixture
async def remote(address: tuple[str, int]) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API over a socket."""
    async with httpx2.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
        yield client


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
