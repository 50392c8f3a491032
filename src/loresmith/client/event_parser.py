"""Server-sent events out of bytes (WHATWG HTML, 9.2.6).

httpx2 has a reader of its own, which passes over comments: a caller who waits for an event while only heartbeats
come could not leave at its deadline. This one holds no connection, so that a stream can be cut anywhere in a test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST_EVENT_BYTES: Final = 64 * 1024 * 1024
"""A job's result is at most 1 MB; what sends more than this without an end is no server of ours."""
_END_OF_LINE: Final = re.compile(rb"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event with data; `id` is the last one that the stream has told, None before the first."""

    name: str
    data: str
    id: str | None = None


class EventParser:
    """Takes a stream in as it comes; what is not whole when it ends does not count."""

    def __init__(self) -> None:
        self.retry_seconds: float | None = None
        """How long the server wants a client to wait before it connects again, once it has said so."""
        self._rest = b""
        self._begun = False
        self._after_return = False
        self._id: str | None = None
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that are whole by now. Raises ValueError for one that has no end."""
        if self._after_return and chunk:
            chunk = chunk.removeprefix(b"\n")  # the rest of a line's end, which was taken for whole
            self._after_return = False
        self._rest += chunk
        self._size += len(chunk)
        if self._size > MOST_EVENT_BYTES:
            raise ValueError(f"an event of more than {MOST_EVENT_BYTES:,} bytes")
        return [event for line in self._lines() if (event := self._take(line)) is not None]

    def _lines(self) -> list[str]:
        lines: list[str] = []
        start = 0
        for found in _END_OF_LINE.finditer(self._rest):
            lines.append(self._rest[start : found.start()].decode(errors="replace"))
            start = found.end()
        self._after_return = self._rest.endswith(b"\r")
        self._rest = self._rest[start:]
        if lines and not self._begun:
            self._begun, lines[0] = True, lines[0].removeprefix("\ufeff")
        return lines

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value or None
            case "retry" if value.isascii() and value.isdigit():
                self.retry_seconds = int(value[:9]) / 1000
            case _:
                pass
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._size = "", [], len(self._rest)
        return ServerEvent(name, "\n".join(data), self._id) if data else None
