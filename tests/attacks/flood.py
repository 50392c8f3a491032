"""A client process: one owner sends without a pause on many connections, another asks for their name now and then."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

CONNECTIONS = 60
SECONDS = 5.0


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Send a request, read its answer and return its status."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    lengths = [int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length:")]
    await reader.readexactly(lengths[0] if lengths else 0)
    return int(head[0].split()[1])


def request_of(ask: dict[str, Any], bearer: str) -> bytes:
    """Return a request as bytes."""
    head = f"{ask['method']} {ask['path']} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\n"
    body = ask["body"].encode("latin-1")
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def main(port: int, first: str, other: str, ask: dict[str, Any] | None) -> None:
    """Print how long the other owner waited, each time, in seconds, and how many requests of the first were taken."""
    ends = time.monotonic() + SECONDS
    taken, waits = 0, list[float]()

    async def flood() -> None:
        nonlocal taken
        assert ask is not None
        request = request_of(ask, first)
        while time.monotonic() < ends:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while time.monotonic() < ends:
                    status = await exchange(reader, writer, request)
                    taken += status != 429
            except (asyncio.IncompleteReadError, ConnectionError):
                continue  # a body that was refused before its end
            finally:
                writer.close()

    floods = [asyncio.create_task(flood()) for _ in range(CONNECTIONS)] if ask is not None else []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = request_of({"method": "GET", "path": "/me", "body": ""}, other)
    while time.monotonic() < ends:
        began = time.monotonic()
        assert await exchange(reader, writer, request) == 200
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)
    for one in floods:
        one.cancel()
    writer.close()
    print(json.dumps([waits, taken]))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads(sys.stdin.read())))
