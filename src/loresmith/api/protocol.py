"""The HTTP/1.1 protocol of the server: uvicorn's, with a bound on what a request may say before its body."""

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES: Final = 32 * 1024
"""Request line and headers together; uvicorn and its parser would gather them without end."""
_DETAIL: Final = b"expected a request line and headers of at most %d bytes" % MOST_HEAD_BYTES
_ANSWER: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_DETAIL), _DETAIL)
)


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 and closes the connection when the head of a request grows too large."""

    _head_bytes = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Count what arrives of a head that is not complete: a header without end is told to nobody."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self._refuse()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MOST_HEAD_BYTES:
            raise ValueError("the head of the request is too large")

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        transport: Any = self.transport
        transport.write(_ANSWER)
        transport.close()
