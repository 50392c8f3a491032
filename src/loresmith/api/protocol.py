"""The HTTP/1.1 protocol of the server: uvicorn's, with a bound on the head of a request, and correct for HTTP/1.0."""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MOST_HEAD_BYTES: Final = 32 * 1024
"""Request line and headers together; uvicorn and its parser would gather them without end."""
_DETAIL: Final = b"expected a request line and headers of at most %d bytes" % MOST_HEAD_BYTES
_ANSWER: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_DETAIL), _DETAIL)
)


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 and closes the connection when the head of a request grows too large.

    What arrives until a head is complete is counted chunk by chunk, which costs next to nothing; the head itself is
    measured only when that is more than it may be: the rest may be body, or the request before.
    """

    _arrived = 0
    _chunk = 0
    _in_head = True
    _too_large = False

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        if self._in_head:
            self._arrived += self._chunk
        super().data_received(data)
        if self._in_head and self._arrived > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

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

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        transport: Any = self.transport
        transport.write(_ANSWER)
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
