"""`Jobs` and the mounted API on a real Redis, in an application with users of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request

from loresmith.asgi import Jobs, Owner, asgi_app
from tests.api.conftest import cue, play, registry, worker, write_verses
from tests.waiting import wait_until

__all__ = ["cue", "registry", "worker"]

PREFIX = "/deep/lore"
ANNA = {"X-User": "anna"}
BJORN = {"X-User": "bjorn"}


async def current_user(request: Request, x_user: Annotated[str | None, Header()] = None) -> object:
    """An application's own authentication."""
    request.app.state.asked.append(request.url.path)
    match x_user:
        case None:
            raise HTTPException(401, "log in first", {"WWW-Authenticate": "Session"})
        case "banned":
            raise HTTPException(403, "you are banned")
        case "root":
            return Owner("root", admin=True)
        case "number":
            return 7
        case "nobody":
            return None
        case _:
            return x_user


@pytest.fixture
async def jobs(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Jobs]:
    monkeypatch.chdir(tmp_path)
    async with Jobs(redis_url=redis_url, data_dir=tmp_path / "data", job_types=[write_verses, play]) as jobs:
        yield jobs


@pytest.fixture
def host(jobs: Jobs) -> FastAPI:
    """An application with the API under a path."""
    app = FastAPI()
    app.state.asked = []
    app.mount(PREFIX, asgi_app(jobs, owner=current_user))
    return app


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def served(app: FastAPI) -> AsyncGenerator[str]:
    """Serve an application as `uvicorn` does; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = _Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        await wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
async def address(host: FastAPI) -> AsyncIterator[str]:
    async with served(host) as address:
        yield address


@pytest.fixture
async def http(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=address, trust_env=False) as http:
        yield http
