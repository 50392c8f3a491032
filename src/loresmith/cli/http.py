"""The HTTP server of a process: uvicorn in our event loop, without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import uvicorn

from loresmith.api.connections import Connections
from loresmith.api.protocol import bounded_by

_GRACE_SECONDS = 1


@contextlib.asynccontextmanager
async def serving(
    app: Any, bound: socket.socket, connections: Connections
) -> AsyncGenerator[tuple[asyncio.Task[None], Callable[[], None]]]:
    """Serve `app` on `bound`; yields the task that serves, and what makes it end (called twice: at once)."""
    server = _Server(_config(app, connections))
    task = asyncio.create_task(server.serve(sockets=[bound]), name="api")
    started = asyncio.create_task(server.ready.wait())
    await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield task, server.wish
    finally:
        server.should_exit = True
        started.cancel()
        await asyncio.wait({task})


def _config(app: Any, connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=bounded_by(connections),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the API reads them itself, with the path prefix
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    def wish(self) -> None:
        """Stop taking connections; the second time, end those that are open."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
