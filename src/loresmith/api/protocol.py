"""The HTTP/1.1 protocol of the server: uvicorn's, with bounds on bytes and time, and correct for HTTP/1.0."""

import asyncio
import socket
import struct
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from loresmith.api.connections import Connections

MOST_HEAD_BYTES: Final = 32 * 1024
"""Request line and headers together; uvicorn and its parser would gather them without end."""


_NOTHING_LINGERS: Final = struct.pack("ii", 1, 0)


def _answer(status: bytes, detail: bytes, more: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\n%bcontent-length: %d\r\n"
    return head % (status, more, len(detail)) + b"connection: close\r\n\r\n" + detail


_TOO_LARGE: Final = _answer(
    b"431 Request Header Fields Too Large",
    b"expected a request line and headers of at most %d bytes" % MOST_HEAD_BYTES,
)
_TOO_SLOW: Final = _answer(b"408 Request Timeout", b"the request did not come in time: send it again")
_TOO_MANY: Final = _answer(
    b"429 Too Many Requests", b"this address has too many connections: close some", b"retry-after: 5\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 and closes the connection when the head of a request grows too large.

    What arrives until a head is complete is counted chunk by chunk, which costs next to nothing; the head itself is
    measured only when that is more than it may be: the rest may be body, or the request before.

    One timer runs while something is expected of the client: a head, a body, or that it reads. `bounds` says how
    long each may take, and how many connections an address may have.
    """

    bounds = Connections()
    _arrived = 0
    _chunk = 0
    _in_head = True
    _too_large = False
    _at_an_end = False
    _expected = ""
    _address = ""
    _timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        if self.bounds.admit(self._address):
            self._expect("head")
        else:
            transport.write(_TOO_MANY)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect("")
        self.resume_writing()
        self.bounds.leave(self._address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        self._at_an_end = False
        if self._in_head:
            self._arrived += self._chunk
        super().data_received(data)
        if self._in_head and self._arrived > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()
        self._expect("" if self._at_an_end else "head" if self._in_head else "body")

    def on_message_begin(self) -> None:
        self._in_head, self._arrived = True, self._chunk
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._arrived > MOST_HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > MOST_HEAD_BYTES:
                self._too_large = True
                raise ValueError("the head of the request is too large")
        self._arrived = 0
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if cycle.scope["http_version"] == "1.0":
            app = _without_chunks(cycle, app)
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        self._in_head = self._at_an_end = True
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._read_timer = self.loop.call_later(self.bounds.patience.read_seconds, self._cut_off)

    def resume_writing(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            self._cut_off()  # closing would wait for who does not read
        else:
            super().timeout_keep_alive_handler()

    def _expect(self, what: str) -> None:
        """Give the client its time for the rest of a head or a body, from the first byte of it; '': for nothing."""
        if what != self._expected:
            self._expected = what
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(self._seconds, self._give_up) if what else None

    @property
    def _seconds(self) -> float:
        patience = self.bounds.patience
        return patience.head_seconds if self._expected == "head" else patience.body_seconds

    def _give_up(self) -> None:
        if self.flow.read_paused:  # it is the server that has not read on
            self._timer = self.loop.call_later(self._seconds, self._give_up)
            return
        cycle: Any = self.cycle
        if cycle is None or not cycle.response_started or (self._in_head and cycle.response_complete):
            self.transport.write(_TOO_SLOW)
        self.transport.close()
        self._read_timer = self.loop.call_later(self.bounds.patience.read_seconds, self._cut_off)

    def _cut_off(self) -> None:
        """End the connection, with what the system still holds for a client that does not read."""
        taken: Any = self.transport.get_extra_info("socket")
        if taken is not None:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOTHING_LINGERS)
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        transport: Any = self.transport
        transport.write(_TOO_LARGE)
        transport.close()


def _without_chunks(cycle: RequestResponseCycle, app: Any) -> Any:
    """Return an app whose answer without a length ends with the connection: HTTP/1.0 has no chunks (RFC 9112, 6.1).

    uvicorn sends chunks to every client. It closes the connection after any answer to HTTP/1.0 by itself.
    """

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        is_endless = False

        async def send_without_chunks(message: Any) -> None:
            nonlocal is_endless
            if message["type"] == "http.response.start":
                is_endless = all(name.lower() != b"content-length" for name, _ in message["headers"])
                if is_endless:
                    cycle.chunked_encoding = False
            elif is_endless:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_without_chunks)

    return answering


def bounded_by(bounds: Connections) -> type[BoundedProtocol]:
    """Return the protocol of one server."""
    return type("BoundedProtocol", (BoundedProtocol,), {"bounds": bounds})
