"""The body of a request: read once, never past its limit, and only as a JSON object."""

from typing import Any, Final, cast

import orjson
from starlette.requests import ClientDisconnect, Request

from loresmith.api.access import MOST_BYTES
from loresmith.api.deps import access_of, header_of, headers_of, manager_of
from loresmith.api.errors import Problem
from loresmith.jobs import Turns

MOST_DEPTH: Final = 64
MOST_VALUES: Final = 4_000
"""Members of objects and elements of arrays in a body, all together."""


BYTES_OF_A_REQUEST: Final = 20_000
"""A body, or an answer made for one caller, counts as a request for each so many bytes of it."""


_HEAVY_BYTES: Final = 4_000
"""Larger bodies are parsed and checked one in each turn of the loop."""


async def read_json_object(
    request: Request, *, most_bytes: int = MOST_BYTES, most_values: int = MOST_VALUES, required: bool = True
) -> dict[str, Any]:
    """Return the JSON object that is the body; of a key that comes twice the last one counts.

    Bytes and values are counted before anything is parsed. A body that is not `required` is empty when there is none.
    Raises Problem: unsupported_media_type, payload_too_large, invalid_json.
    """
    if _media_type(request) != "application/json" and not _announces_nothing(request):
        raise Problem("unsupported_media_type", "expected Content-Type: application/json")
    body = await _read(request, most_bytes)
    access_of(request).guard.charge(request, len(body) // BYTES_OF_A_REQUEST)
    turns = manager_of(request).turns
    if len(body) > _HEAVY_BYTES:
        await turns.take()
    if len(body) > 2 * most_values:
        await _check_values(body, most_values, turns)
    return _parse(body) if body or required else {}


async def _read(request: Request, most_bytes: int) -> bytes:
    """Read up to the limit. What a client announces spares us reading; what it sends is what counts."""
    announced = header_of(request, b"content-length")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > most_bytes):
        raise _too_large(most_bytes)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _check_values(body: bytes, most: int, turns: Turns) -> None:
    """Raise Problem for a body of more values than may be, at a fraction of the cost of parsing it.

    Each value follows a bracket or a comma that is in no string. A body that is not JSON is counted as far as it is:
    no parser comes further.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"")
        await turns.take()
        body = body.replace(b'\\"', b"")
        await turns.take()
    if body.count(b'"') <= 4 * most:  # a value has two strings at most: its key and itself
        outside = b"".join(body.split(b'"')[::2])
        if outside.count(b",") + outside.count(b"[") + outside.count(b"{") <= most:
            await turns.take()
            return
    raise Problem("payload_too_large", f"expected at most {most:,} keys and elements of arrays in a body")


def _too_large(most_bytes: int) -> Problem:
    return Problem("payload_too_large", f"expected a body of at most {most_bytes:,} bytes")


def _media_type(request: Request) -> str:
    return header_of(request, b"content-type").partition(";")[0].strip().lower()


def _announces_nothing(request: Request) -> bool:
    return header_of(request, b"content-length") in ("", "0") and not headers_of(request, b"transfer-encoding")


def _parse(body: bytes) -> dict[str, Any]:
    if not body:
        raise Problem("invalid_json", 'expected a body such as {"type": "…", "payload": {…}}, got none')
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid_json", f"not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem("invalid_json", f"expected a JSON object, got {_name_of(value)}")
    parsed = cast("dict[str, Any]", value)
    if body.count(b"[") + body.count(b"{") > MOST_DEPTH and _deeper_than(parsed, MOST_DEPTH):
        raise Problem("invalid_json", f"expected at most {MOST_DEPTH} levels of nesting")
    return parsed


def _name_of(value: object) -> str:
    names: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _deeper_than(value: dict[str, Any], most: int) -> bool:
    level: list[Any] = [value]
    for _ in range(most):
        level = [inner for part in level for inner in _containers_in(part)]
    return bool(level)


def _containers_in(part: dict[str, Any] | list[Any]) -> list[Any]:
    inside = part.values() if isinstance(part, dict) else part
    return [one for one in inside if isinstance(one, dict | list)]
