"""A real receiver of webhooks on loopback: HTTPS with a certificate of a CA of its own, answers as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trustme

HOST = "hooks.test"
"""The name in its certificate; tests resolve it to loopback themselves."""

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """A request that came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """What came in, and what is answered: the next of `answers`, a status or a behaviour, else 204."""

    def __init__(self, authority: trustme.CA) -> None:
        self.authority = authority
        self.got: list[Received] = []
        self.connections = 0
        self.answers: list[int | Behaviour] = []
        self.port = 0
        self._open: set[asyncio.Task[Any]] = set()

    def url(self, path: str = "/hooks?token=hush", host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"

    @property
    def tls(self) -> ssl.SSLContext:
        """For a client that trusts the receiver."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(Received(head[0].split()[1], headers, body))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, int):
            writer.write(b"HTTP/1.1 %d Whatever\r\ncontent-length: 0\r\n\r\n" % answer)
        else:
            await answer(writer)
        await writer.drain()

    def cut(self) -> None:
        for task in self._open:
            task.cancel()


@contextlib.asynccontextmanager
async def receiving(*, plain: bool = False) -> AsyncGenerator[Receiver]:
    """Run a receiver while one is inside; a `plain` one speaks HTTP."""
    authority = trustme.CA()
    receiver = Receiver(authority)
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=None if plain else context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        receiver.cut()


async def never(_: asyncio.StreamWriter) -> None:
    """Answer nothing, for as long as the connection stands."""
    await asyncio.Event().wait()


def redirect_to(url: str) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 307 Elsewhere\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n".encode())

    return behave


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send the head of an answer byte by byte, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)  # the behaviour itself: a slow sender


async def flood_body(writer: asyncio.StreamWriter) -> None:
    """Answer 200 with a body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def flood_head(writer: asyncio.StreamWriter) -> None:
    """Answer with header after header."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-more: " + b"x" * 8_000 + b"\r\n")
        await writer.drain()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""
    writer.close()
