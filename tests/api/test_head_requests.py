"""HEAD is taken wherever GET is: the same status and headers, and no body."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.api.app import GROUPS
from loresmith.api.deps import BareRoute
from loresmith.api.page import Page
from loresmith.api.probes import build_probes
from loresmith.db import Worlds
from loresmith.telemetry.metrics import Metrics
from tests.api.conftest import ended, in_process, submitted
from tests.db.samples import new_world
from tests.waiting import wait_until

PATHS = sorted(
    {
        route.path
        for group in GROUPS
        for route in group.router.routes
        if isinstance(route, BareRoute) and "GET" in (route.methods or ())
    }
)
VARIABLE = {"content-length", "etag", "x-request-id", "retry-after", "date"}
"""Headers that differ from one GET to the next where figures or times are in the body."""


@pytest.fixture
def page(app: FastAPI, tmp_path: Any) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>LoreSmith</title>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    app.state.page = Page(tmp_path)


@pytest.mark.usefixtures("page", "worker")
async def test_every_path_of_get_takes_head(api: httpx2.AsyncClient, worlds: Worlds) -> None:
    job = await ended(api, await submitted(api, "item:0"))
    world = await worlds.save(new_world())
    different: dict[str, Any] = {}
    for template in PATHS:
        path = template.format(job_id=job["id"], world_id=world.id, job_type="play")
        get, head = await api.get(path), await api.head(path)
        same = {name: value for name, value in get.headers.items() if name not in VARIABLE}
        found = {name: value for name, value in head.headers.items() if name not in VARIABLE}
        if (head.status_code, found, head.content) != (get.status_code, same, b"") or head.status_code >= 400:
            different[path] = (get.status_code, same, head.status_code, found, head.content)
    assert different == {}


async def test_head_has_the_length_and_tag_of_get(api: httpx2.AsyncClient) -> None:
    path = f"/jobs/{await submitted(api)}"
    get, head = await api.get(path), await api.head(path)
    for name in ("content-length", "etag"):
        assert head.headers[name] == get.headers[name]
    fresh = await api.head(path, headers={"If-None-Match": get.headers["etag"]})
    assert (fresh.status_code, fresh.content) == (304, b"")


async def test_head_of_nothing_is_not_found(api: httpx2.AsyncClient) -> None:
    for path in ("/nowhere", "/jobs/x", "/jobs/x/events", "/assets/none.js"):
        assert (await api.head(path)).status_code == 404


async def test_head_of_a_job_under_way_opens_no_event_stream(api: httpx2.AsyncClient, manager: Any) -> None:
    path = f"/jobs/{await submitted(api)}/events"
    async with asyncio.timeout(5):
        answer = await api.head(path)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in answer.headers
    await wait_until(lambda: not list(manager._events._all()))


async def test_head_leaves_the_connection_usable(address: tuple[str, int]) -> None:
    """Bytes of a body after HEAD would be read as the next answer."""
    reader, writer = await asyncio.open_connection(*address)
    for path in ("/healthz", "/openapi.json", "/nowhere", "/metrics", "/"):
        writer.write(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    *heads, last, body = (await reader.read()).split(b"\r\n\r\n")
    writer.close()
    assert [head[:9] for head in (*heads, last)] == [b"HTTP/1.1 "] * 6
    assert body.startswith(b'{"status":"ok"')
    assert all(b"transfer-encoding" not in head for head in heads)


async def test_head_is_counted_as_head(api: httpx2.AsyncClient) -> None:
    await api.head("/healthz")
    metrics = (await api.get("/metrics")).text
    assert any('method="HEAD"' in line and "/healthz" in line for line in metrics.splitlines())


async def test_probes_of_other_processes_take_head() -> None:
    async def missing() -> dict[str, str]:
        return {}

    probes: Any = build_probes(Metrics(), missing=missing)
    async with in_process(probes) as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.head(path)).status_code == 200
