"""What a client says before its body is bounded: floods of headers end the connection, not the server."""

import asyncio

import httpx2
import pytest

from loresmith.api.protocol import MOST_HEAD_BYTES

Address = tuple[str, int]
LINE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
LARGE = MOST_HEAD_BYTES + 1


async def answer_to(address: Address, *parts: bytes) -> bytes:
    """Send bytes in pieces and return what comes until the server ends the connection, perhaps before all is sent."""
    reader, writer = await asyncio.open_connection(*address)
    answer = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        answer = await reader.read()
    except ConnectionError:
        pass
    writer.transport.abort()
    return answer


@pytest.mark.parametrize(
    "parts",
    [
        [LINE + b"X: " + b"x" * LARGE + b"\r\n\r\n"],
        [LINE + b"X: 1\r\n" * (LARGE // 5) + b"\r\n"],
        [b"GET /" + b"x" * LARGE + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        [LINE + b"X: ", *[b"x" * 1024] * 33],
        [LINE, *[b"X: 1\r\n" * 200] * 40],
        [b"GET /", *[b"x" * 1024] * 33],
    ],
    ids=["a header", "headers", "a path", "a header without end", "headers without end", "a path without end"],
)
async def test_a_head_that_is_too_large_is_refused(address: Address, parts: list[bytes]) -> None:
    answer = await answer_to(address, *parts)
    assert answer.startswith(b"HTTP/1.1 431 ") or answer == b""  # reset before it was read
    async with httpx2.AsyncClient(base_url=f"http://{address[0]}:{address[1]}") as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_head_without_end_is_answered_while_it_is_sent(address: Address) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(LINE + b"X: " + b"x" * LARGE)
    assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_large_head_within_the_bound_is_taken_and_each_request_counts_for_itself(address: Address) -> None:
    head = LINE + b"X: " + b"x" * (MOST_HEAD_BYTES - 200) + b"\r\n"
    answer = await answer_to(address, (head + b"\r\n") * 3, head + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 4


async def test_a_body_does_not_count_as_head(address: Address) -> None:
    body = b'{"type":"play","payload":{}}' + b" " * (2 * MOST_HEAD_BYTES)
    head = b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    answer = await answer_to(address, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50_000]
)
async def test_what_is_no_http_is_turned_away(address: Address, junk: bytes) -> None:
    answer = await answer_to(address, junk + b"Connection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ")) or answer == b""
