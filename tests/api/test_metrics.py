"""`GET /metrics`: for admins, by templates of routes, with the queue as it is."""

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.db import Database
from loresmith.jobs import JobManager, JobRegistry
from tests.api.conftest import assert_problem
from tests.api.guarded import guarded
from tests.unit.test_metrics import samples

SUBMIT = {"type": "write_verses", "payload": {"about": "rain"}}
NOBODYS = "70130d70-10c4-429d-a3f4-94fb6b2495e4"


async def test_only_an_admin_reads_the_metrics_where_callers_show_who_they_are(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database) as api:
        owner, admin = await api.owner("ann"), await api.owner("prometheus", admin=True)
        assert_problem(await (await api.client()).get("/metrics"), 401, "unauthorized")
        assert_problem(await owner.get("/metrics"), 403, "forbidden")
        answer = await admin.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"


async def test_requests_are_counted_by_template_whatever_clients_make_up(app: FastAPI, api: httpx2.AsyncClient) -> None:
    path = (await api.post("/jobs", json=SUBMIT)).headers["location"]
    for _ in range(3):
        await api.get(path)
    await api.get(f"/jobs/{NOBODYS}")
    await api.post(f"{path}/cancel")
    for name in ("a", "b"):
        await api.get(f"/made/up/{name}")
        await api.request(name.upper() * 9, "/jobs")
    found = samples(app.state.telemetry.metrics)
    assert found["loresmith_http_requests_total method=POST route=/jobs status=202"] == 1
    assert found["loresmith_http_requests_total method=GET route=/jobs/{job_id} status=200"] == 3
    assert found["loresmith_http_requests_total method=GET route=/jobs/{job_id} status=404"] == 1
    assert found["loresmith_http_requests_total method=POST route=/jobs/{job_id}/cancel status=200"] == 1
    assert found["loresmith_http_requests_total method=GET route=unmatched status=404"] == 2
    assert found["loresmith_http_request_seconds_count method=GET route=/jobs/{job_id}"] == 4
    assert not [name for name in found if NOBODYS in name or "made" in name or "AAA" in name]


async def test_the_queue_is_counted_when_somebody_asks(api: httpx2.AsyncClient, manager: JobManager) -> None:
    await api.post("/jobs", json=SUBMIT)
    text = (await api.get("/metrics")).text
    assert 'loresmith_queue_jobs_waiting{priority="normal",queue="default"} 1.0' in text
    assert 'loresmith_queue_workers{queue="default"} 0.0' in text
    await manager.pause()
    assert 'loresmith_queue_paused{queue="default"} 1.0' in (await api.get("/metrics")).text


@pytest.mark.parametrize("offered", ["abc-1._Z", "x" * 128])
async def test_a_request_keeps_the_id_that_it_came_with(api: httpx2.AsyncClient, offered: str) -> None:
    for path in ("/jobs", f"/jobs/{NOBODYS}", "/nowhere", "/healthz"):
        assert (await api.get(path, headers={"X-Request-ID": offered})).headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 129, "two words", "a\x09b", 'quote"'])
async def test_an_id_that_could_be_mistaken_for_something_else_is_replaced(
    api: httpx2.AsyncClient, offered: str
) -> None:
    answer = await api.get("/healthz", headers={"X-Request-ID": offered})
    assert answer.headers["x-request-id"] != offered
    assert len(answer.headers["x-request-id"]) == 16
