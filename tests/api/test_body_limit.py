"""The limit of a body holds while it is read, whatever the client announces."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson

from loresmith.api.body import MOST_BYTES
from tests.api.conftest import assert_problem

JSON = {"Content-Type": "application/json"}
HEAD = b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def body_of(size: int) -> bytes:
    start = b'{"type":"write_verses","payload":{"about":"rain"}'
    return start + b" " * (size - len(start) - 1) + b"}"


async def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(remote: httpx2.AsyncClient) -> None:
    assert (await remote.post("/jobs", content=body_of(MOST_BYTES), headers=JSON)).status_code == 202
    answer = await remote.post("/jobs", content=body_of(MOST_BYTES + 1), headers=JSON)
    assert_problem(answer, 413, "payload_too_large")


async def test_a_chunked_body_is_counted_as_it_comes(remote: httpx2.AsyncClient, redis: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 1024

    assert_problem(await remote.post("/jobs", content=chunks(), headers=JSON), 413, "payload_too_large")
    assert await redis.dbsize() == 0


async def test_an_announced_flood_is_refused_before_it_comes(address: tuple[str, int]) -> None:
    status, problem = await _exchange(address, HEAD + b"Content-Length: 10000000000\r\n\r\n")
    assert (status, problem["code"]) == (413, "payload_too_large")


async def test_an_endless_chunked_body_is_answered_before_it_ends(address: tuple[str, int]) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    status, problem = await _exchange(address, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 5)
    assert (status, problem["code"]) == (413, "payload_too_large")


async def test_a_client_that_leaves_in_the_middle_leaves_no_job(
    address: tuple[str, int], remote: httpx2.AsyncClient, redis: Any
) -> None:
    _, writer = await asyncio.open_connection(*address)
    writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await remote.get("/healthz")).status_code == 200
    assert await redis.dbsize() == 0


async def _exchange(address: tuple[str, int], request: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes and return status and body of the answer, with the request still unfinished."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    answer = orjson.loads(await reader.readexactly(length))
    writer.close()
    return int(head.split()[1]), answer
