"""Paths, methods, and what every answer carries."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.api import create_app
from loresmith.db import Worlds
from loresmith.jobs import Job, JobManager
from tests.api.conftest import assert_problem, in_process

SUBMIT = {"type": "write_verses", "payload": {"about": "rain"}}


NOBODYS = "70130d70-10c4-429d-a3f4-94fb6b2495e4"


@pytest.mark.parametrize(
    "job_id",
    [
        NOBODYS,
        NOBODYS.replace("-", ""),
        f"{{{NOBODYS}}}",
        f"urn:uuid:{NOBODYS}",
        "x",
        "x" * 10_000,
        "%00",
        "%F0%9F%98%80",
        "%FF",
        "job:1",
        "*",
        "..%00",
        "1}:input",
    ],
    ids=lambda text: text[:20],
)
async def test_an_id_of_no_job_is_not_found(api: httpx2.AsyncClient, job_id: str) -> None:
    answer = await api.get(f"/jobs/{job_id}")
    problem = assert_problem(answer, 404, "job_not_found")
    assert len(answer.content) < 500
    assert problem["retryable"] is False


async def test_a_job_has_one_path(api: httpx2.AsyncClient) -> None:
    job = (await api.post("/jobs", json=SUBMIT)).json()
    assert_problem(await api.get(f"/jobs/{job['id']}/"), 404, "not_found")
    assert_problem(await api.get(f"/jobs//{job['id']}"), 404, "not_found")


@pytest.mark.parametrize(
    "target", ["/jobs/../healthz", "/jobs/..%2Fhealthz", "/jobs/.", "//jobs", "/%2e%2e/x", "/jobs/"]
)
async def test_tricks_with_paths_lead_nowhere(address: tuple[str, int], target: str) -> None:
    """Raw, since clients tidy paths before they send them."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/jobs", "GET, HEAD, POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PUT", "/jobs/x", "DELETE, GET, HEAD"),
        ("GET", "/jobs/batch", "POST"),
        ("HEAD", "/jobs/batch", "POST"),
        ("DELETE", "/jobs/batch", "POST"),
        ("GET", "/jobs/x/cancel", "POST"),
        ("POST", "/jobs/x/events", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(
    api: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await api.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert_problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/openapi.json", "/jobs/x"])
async def test_every_answer_has_an_id_and_the_headers_that_keep_browsers_safe(
    api: httpx2.AsyncClient, path: str
) -> None:
    answer = await api.get(path)
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_sane_request_id_of_the_client_is_kept(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/healthz", headers={"X-Request-Id": "trace-1.a_B"})
    assert answer.headers["x-request-id"] == "trace-1.a_B"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 129, "é", "<script>"])
async def test_another_request_id_is_replaced(api: httpx2.AsyncClient, offered: str) -> None:
    answer = await api.get("/healthz", headers={b"X-Request-Id": offered.encode()})
    assert answer.headers["x-request-id"] not in ("", offered)


class _Broken(JobManager):
    async def read(self, job_id: str) -> bytes:
        raise ZeroDivisionError("secret detail")

    async def cancel(self, job_id: str, *, owner: str | None = None) -> Job:
        raise ZeroDivisionError("secret detail")


@pytest.mark.parametrize(("method", "path"), [("GET", f"/jobs/{NOBODYS}"), ("POST", f"/jobs/{NOBODYS}/cancel")])
async def test_a_bug_of_ours_says_nothing_about_itself(
    app: FastAPI, manager: JobManager, method: str, path: str
) -> None:
    app.state.manager = _Broken.__new__(_Broken)
    async with in_process(app) as api:
        answer = await api.request(method, path)
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


async def test_readiness_names_what_is_missing(manager: JobManager, worlds: Worlds) -> None:
    async def readiness() -> Mapping[str, str]:
        return {"lore service": "does not answer on 127.0.0.1:50051"}

    async with in_process(create_app(manager, worlds, readiness=readiness)) as api:
        problem: dict[str, Any] = assert_problem(await api.get("/readyz"), 503, "not_ready")
        assert problem["missing"] == {"lore service": "does not answer on 127.0.0.1:50051"}
        assert (await api.get("/healthz")).json() == {"status": "ok", "version": "0.1.0"}
