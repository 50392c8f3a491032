"""TLS in front of a server: the embedded one is built without it, so a proxy ends TLS and passes the bytes on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trustme


@asynccontextmanager
async def tls_in_front_of(port: int, folder: Path) -> AsyncGenerator[tuple[int, Path]]:
    """The port of a TLS proxy to a port of this machine, and the file with the certificate to trust."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate: Any = authority.issue_cert("127.0.0.1")
    certificate.configure_cert(context)
    trusted = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.wait(
                [
                    asyncio.create_task(_pass_on(reader, inner_writer)),
                    asyncio.create_task(_pass_on(inner_reader, writer)),
                ]
            )
        connections.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1]), trusted
    finally:
        server.close()
        if connections:
            await asyncio.wait(connections, timeout=5.0)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while received := await reader.read(65_536):
            writer.write(received)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
