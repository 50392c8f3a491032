"""Clients that speak HTTP/1.0 (monitors, old proxies) get answers that end with their connection."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.api import create_app
from loresmith.api.access import Access
from loresmith.api.site import Site
from loresmith.db import Worlds
from loresmith.jobs import JobManager, Worker
from tests.api.conftest import ended, submitted
from tests.api.sse import Parser

Address = tuple[str, int]


async def exchange(address: Address, *lines: str) -> tuple[str, bytes]:
    """Send a request of HTTP/1.0; returns head and body of the answer, which ends with the connection."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head.decode().lower(), body


async def test_events_are_sent_without_chunks(address: Address, remote: httpx2.AsyncClient, worker: Worker) -> None:
    job_id = await submitted(remote, "item:0", "item:1")
    head, body = await exchange(address, f"GET /jobs/{job_id}/events HTTP/1.0", "Host: localhost")
    assert "transfer-encoding" not in head
    assert "connection: close" in head
    assert [told.name for told in Parser().feed(body)][-1] == "done"


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/metrics", "/nowhere", "/jobs"])
async def test_no_answer_is_chunked(address: Address, path: str) -> None:
    for encoding in ("identity", "gzip"):
        head, body = await exchange(address, f"GET {path} HTTP/1.0", "Host: localhost", f"Accept-Encoding: {encoding}")
        assert "transfer-encoding" not in head
        length = next(line for line in head.split("\r\n") if line.startswith("content-length: "))
        assert length == f"content-length: {len(body)}"


async def test_a_large_result_is_whole(address: Address, remote: httpx2.AsyncClient, worker: Worker) -> None:
    job = await ended(remote, await submitted(remote, "big:0", "big:1"))
    _, body = await exchange(address, f"GET /jobs/{job['id']} HTTP/1.0", "Host: localhost")
    assert httpx2.Response(200, content=body).json()["result"] == job["result"]


@pytest.fixture
def app(manager: JobManager, worlds: Worlds) -> FastAPI:
    """An API that answers to names of this machine only."""
    return create_app(manager, worlds, access=Access(site=Site()), version="0.0.0")


async def test_a_monitor_need_not_name_a_host(address: Address) -> None:
    assert (await exchange(address, "GET /healthz HTTP/1.0"))[0].startswith("http/1.1 200")
    assert (await exchange(address, "GET /healthz HTTP/1.0", "Host: evil.example"))[0].startswith("http/1.1 400")
    assert (await exchange(address, "GET /healthz HTTP/1.1", "Connection: close"))[0].startswith("http/1.1 400")
