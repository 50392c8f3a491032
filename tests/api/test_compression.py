"""Answers over 1 KB are compressed where the client takes it; event streams and small answers are not."""

import gzip

import httpx2
import pytest

from loresmith.jobs import Worker
from tests.api.conftest import ended, submitted
from tests.api.sse import get


async def raw(api: httpx2.AsyncClient, path: str, encoding: str, method: str = "GET") -> tuple[httpx2.Headers, bytes]:
    """Return headers and body as they were sent."""
    async with api.stream(method, path, headers={"Accept-Encoding": encoding}) as answer:
        return answer.headers, b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/job-types", "/metrics", "/jobs"])
async def test_a_large_answer_is_compressed(api: httpx2.AsyncClient, path: str) -> None:
    for _ in range(4):
        await submitted(api)
    headers, body = await raw(api, path, "br, GZIP;q=0.5")
    assert headers["content-encoding"] == "gzip"
    assert "accept-encoding" in headers["vary"].lower()
    assert int(headers["content-length"]) == len(body)
    plain_headers, plain = await raw(api, path, "identity")
    assert "content-encoding" not in plain_headers
    assert "accept-encoding" in plain_headers["vary"].lower()
    assert len(body) < len(plain)
    if path not in ("/metrics", "/jobs"):  # whose figures move on
        assert gzip.decompress(body) == plain


@pytest.mark.usefixtures("worker")
async def test_a_large_job_is_compressed(api: httpx2.AsyncClient) -> None:
    job = await ended(api, await submitted(api, "big:0"))
    headers, body = await raw(api, f"/jobs/{job['id']}", "gzip")
    assert (headers["content-encoding"], headers["etag"]) == ("gzip", f'W/"{job["seq"]}"')
    assert len(body) < 2_000
    head, nothing = await raw(api, f"/jobs/{job['id']}", "gzip", "HEAD")
    assert (head["content-length"], nothing) == (headers["content-length"], b"")


@pytest.mark.parametrize("encoding", ["", "identity", "gzip;q=0", "gzip; q=0.000, br", "xgzip", "br"])
async def test_a_client_that_takes_no_gzip_gets_none(api: httpx2.AsyncClient, encoding: str) -> None:
    headers, body = await raw(api, "/openapi.json", encoding)
    assert "content-encoding" not in headers
    assert body.startswith(b"{")


async def test_a_small_answer_is_sent_as_it_is(api: httpx2.AsyncClient) -> None:
    for path in ("/healthz", f"/jobs/{await submitted(api)}"):
        headers, _ = await raw(api, path, "gzip")
        assert "content-encoding" not in headers


async def test_events_are_not_compressed(address: tuple[str, int], remote: httpx2.AsyncClient, worker: Worker) -> None:
    job = await ended(remote, await submitted(remote, "big:0"))
    answer = await get(address, f"/jobs/{job['id']}/events", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    names = [told.name async for told in answer.events()]
    answer.close()
    assert names[-1] == "done"
