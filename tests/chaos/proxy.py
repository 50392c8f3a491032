"""A TCP proxy between one process and Redis that can be slow, cut, deaf or dumb."""

import asyncio
import socket
import struct
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CHUNK: Final = 65_536
_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


@dataclass(eq=False)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    deaf: bool = False  # what the client sends is swallowed
    dumb: bool = False  # what the server sends is swallowed
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def reset(self) -> None:
        """Cut both sides; the client sees a reset by peer."""
        for writer in (self.client, self.server):
            sock: socket.socket = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            writer.transport.abort()


class Link:
    """The way of one process to Redis; it stays at one port while everything behind it comes and goes."""

    def __init__(self, target: Path) -> None:
        self.refusing = False
        self.latency_seconds = 0.0
        self.losing_replies = False
        """Whether the next reply on each connection is lost, and the connection with it: committed, never heard."""
        self._target = target
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        """The address that the process is given."""
        assert self._server
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def reset(self) -> None:
        """Reset every connection."""
        for connection in list(self._connections):
            connection.reset()

    def half_open(self, *, deaf: bool) -> None:
        """Make the connections of now swallow one direction for ever, as a dead route does; new ones work."""
        for connection in self._connections:
            connection.deaf, connection.dumb = deaf, not deaf

    def heal(self) -> None:
        """End what disturbs the link; connections that are half open stay so until a side gives up."""
        self.refusing, self.latency_seconds, self.losing_replies = False, 0.0, False

    async def close(self) -> None:
        """Stop listening and cut what is there."""
        if self._server:
            self._server.close()
        self.reset()
        tasks = [task for connection in self._connections for task in connection.tasks]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.refusing:
                raise ConnectionRefusedError
            server_reader, server_writer = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, server_writer)
        self._connections.add(connection)
        pumps = (self._up(connection, reader), self._down(connection, server_reader))
        connection.tasks = [asyncio.create_task(_quietly(pump)) for pump in pumps]
        await asyncio.wait(connection.tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in connection.tasks:
            task.cancel()
        self._connections.discard(connection)
        for side in (connection.client, connection.server):
            side.close()

    async def _up(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_CHUNK):
            await asyncio.sleep(self.latency_seconds)
            if not connection.deaf:
                connection.server.write(data)
                await connection.server.drain()

    async def _down(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_CHUNK):
            if self.losing_replies:
                connection.reset()
                return
            await asyncio.sleep(self.latency_seconds)
            if not connection.dumb:
                connection.client.write(data)
                await connection.client.drain()


async def _quietly(pump: Awaitable[None]) -> None:
    with suppress(OSError):
        await pump
