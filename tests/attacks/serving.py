"""A real server in this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Any

import uvicorn

from loresmith.api.connections import Connections
from loresmith.api.protocol import bounded_by
from tests.waiting import wait_until


@contextlib.asynccontextmanager
async def served(app: Any, bounds: Connections) -> AsyncGenerator[tuple[str, int]]:
    """A real server with these bounds."""

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Any:
            yield

    # The protocol by its number, as in production: else asyncio leaves Nagle's algorithm on, and answers wait for it.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        server = Server(uvicorn.Config(app, http=bounded_by(bounds), log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await wait_until(lambda: server.started)
        yield listening.getsockname()
        server.should_exit = True
        await serving
