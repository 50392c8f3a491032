"""Transport to OpenAI-compatible servers that reads what they send for what they mean, and notes that they live."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any, Final, cast

import httpx2

_LARGEST_WHOLE_BYTES: Final = 4 * 1024 * 1024
_FALSE_STATUS: Final = 502

last_sign: ContextVar[list[float] | None] = ContextVar("last_sign", default=None)
"""When something last came for the request of this task, whatever it was: a comment and an empty chunk count."""


def watched_signs() -> list[float]:
    """Begin to note the signs of life of the requests of this task; the list holds the moment of the last one."""
    signs = [time.monotonic()]
    last_sign.set(signs)
    return signs


class TolerantTransport(httpx2.AsyncBaseTransport):
    """A transport around another.

    One whole completion that comes although a stream was asked for becomes a stream of one chunk. An error that comes
    with status 200 gets the status that it names.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        response = await self._inner.handle_async_request(request)
        _note()
        kind = response.headers.get("content-type", "")
        if response.status_code == 200 and "json" in kind and "event-stream" not in kind and "seq" not in kind:
            return await _whole(request, response)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Noting(response.stream, events="event-stream" in kind),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _Noting(httpx2.AsyncByteStream):
    """A body that notes each piece that comes; of a stream of events, comments and empty events are left out.

    The client library takes an empty event that follows a comment for one of JSON (openai-python issue 2722), and some
    gateways send their comments as data (`data: : keepalive`).
    """

    def __init__(self, inner: Any, *, events: bool) -> None:
        self._inner = inner
        self._events = events
        self._rest = b""
        self._is_open = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            _note()
            kept = self._kept(piece) if self._events else piece
            if kept:
                yield kept
        if self._rest:
            yield self._rest

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _kept(self, piece: bytes) -> bytes:
        """The whole lines of what has come, without those that say nothing."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return b"".join(line + b"\n" for line in lines if self._is_kept(line.strip()))

    def _is_kept(self, line: bytes) -> bool:
        if not line:
            was_open, self._is_open = self._is_open, False
            return was_open
        name, _, value = line.partition(b":")
        says_nothing = not name or (name == b"data" and value.lstrip()[:1] in (b"", b":")) or name in (b"id", b"retry")
        self._is_open = self._is_open or not says_nothing
        return not says_nothing


async def _whole(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    """A JSON answer: an error, one completion where a stream was asked for, or as it is."""
    pieces = bytearray()
    stream = cast("AsyncIterator[bytes]", response.stream)
    async for piece in stream:
        _note()
        pieces += piece
        if len(pieces) > _LARGEST_WHOLE_BYTES:
            break
    await response.stream.aclose()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    plain = httpx2.Response(200, headers=response.headers, content=bytes(pieces))
    body, answer = plain.content, _read(plain)
    if isinstance(answer, dict):
        told = cast("dict[str, Any]", answer)
        if told.get("error") and not told.get("choices"):
            return _json(_status_in(told["error"]), body)
        if _asks_for_stream(request) and told.get("choices"):
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=_as_events(told))
    return _json(200, body)


def _json(status: int, body: bytes) -> httpx2.Response:
    return httpx2.Response(status, headers={"content-type": "application/json"}, content=body)


def _as_events(completion: dict[str, Any]) -> bytes:
    """One completion as the chunk and the end of a stream."""
    choices = [
        {
            "index": number,
            "delta": _delta(choice.get("message") or {}),
            "finish_reason": choice.get("finish_reason"),
        }
        for number, choice in enumerate(completion["choices"])
    ]
    chunk = {"id": "", "created": 0, "model": "", **completion, "object": "chat.completion.chunk", "choices": choices}
    return f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()


def _delta(message: dict[str, Any]) -> dict[str, Any]:
    calls = [{"index": number, **call} for number, call in enumerate(message.get("tool_calls") or [])]
    return {**message, "tool_calls": calls} if calls else {**message, "tool_calls": None}


def _status_in(error: object) -> int:
    told: Any = error
    code = cast("dict[str, object]", told).get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return 404 if "nexpected endpoint" in str(told) else _FALSE_STATUS


def _asks_for_stream(request: httpx2.Request) -> bool:
    try:
        return bool(json.loads(request.content).get("stream"))
    except (ValueError, AttributeError, httpx2.RequestNotRead):
        return False


def _read(response: httpx2.Response) -> object:
    try:
        return cast("Callable[[], object]", response.json)()
    except ValueError:
        return None


def _note() -> None:
    signs = last_sign.get()
    if signs is not None:
        signs[0] = time.monotonic()
