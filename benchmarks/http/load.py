"""A load generator: keep-alive connections that each send the next request when they have the answer to the last."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

_LENGTH: Final = b"content-length: "


@dataclass
class Load:
    """What came of it: answers a second, and how long they took."""

    seconds: float = 0.0
    times_ms: list[float] = field(default_factory=list[float])
    refused: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times_ms) / self.seconds

    def share(self, part: float) -> float:
        """Return the ms within which this part of the answers came."""
        return self.times_ms[min(len(self.times_ms) - 1, int(len(self.times_ms) * part))]


class _Connection(asyncio.Protocol):
    def __init__(self, request: Callable[[], bytes], expected: bytes, load: Load, until: float) -> None:
        self._request = request
        self._expected = b"HTTP/1.1 %b" % expected
        self._load = load
        self._until = until
        self._rest = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport: Any = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request())

    def data_received(self, data: bytes) -> None:
        answer = self._rest + data if self._rest else data
        head = answer.find(b"\r\n\r\n")
        if head < 0 or len(answer) < head + 4 + _length(answer, head):
            self._rest = answer
            return
        self._rest = b""
        now = time.perf_counter()
        self._load.times_ms.append((now - self._sent) * 1000)
        self._load.refused += not answer.startswith(self._expected)
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set_result(None)


def _length(answer: bytes, head: int) -> int:
    start = answer.find(_LENGTH, 0, head)
    return int(answer[start + len(_LENGTH) : answer.find(b"\r\n", start)]) if start >= 0 else 0


async def load(
    port: int, request: Callable[[], bytes], *, expected: int, connections: int = 64, seconds: float = 5.0
) -> Load:
    """Send requests for some seconds and return what came of it, times sorted."""
    found, started = Load(), time.perf_counter()
    loop, until = asyncio.get_running_loop(), started + seconds
    made = [
        await loop.create_connection(
            lambda: _Connection(request, str(expected).encode(), found, until), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.over for _, protocol in made))
    found.seconds = time.perf_counter() - started
    found.times_ms.sort()
    return found


def get(path: str) -> bytes:
    """Return a GET as a poller sends it."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """Return a POST of JSON."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
