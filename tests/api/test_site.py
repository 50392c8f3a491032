"""Pages of strangers: neither a name that they point here nor a form of theirs makes this server act."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse

from loresmith.db import Database
from loresmith.jobs import JobRegistry
from tests.api.conftest import assert_problem
from tests.api.guarded import Guarded, guarded

SUBMIT: dict[str, Any] = {"type": "play", "payload": {}}
APP = "https://app.example"


@pytest.fixture
async def local(redis: Any, registry: JobRegistry, database: Database) -> AsyncIterator[Guarded]:
    """Where nobody is asked who they are."""
    async with guarded(redis, registry, database, auth="none", cors_origins=f"{APP},http://localhost:5173") as api:
        yield api


PATHS = ("/jobs", f"/jobs/{uuid4()}", f"/jobs/{uuid4()}/events", "/healthz", "/openapi.json", "/nowhere")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::2]",
        "localhost:80:80",
        "",
        "\xff",
    ],
)
async def test_a_name_that_is_not_this_machines_is_not_answered_to(local: Guarded, host: str) -> None:
    client = await local.client()
    for path in PATHS:
        answer = await client.get(path, headers={b"Host": host.encode("latin-1")})
        assert_problem(answer, 400, "host_not_allowed")
    assert_problem(await client.post("/jobs", json=SUBMIT, headers={b"Host": b"evil.example"}), 400, "host_not_allowed")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "127.8.8.8", "[::1]:8080", "[::1]"]
)
async def test_names_of_this_machine_are(local: Guarded, host: str) -> None:
    client = await local.client()
    assert (await client.get("/jobs", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({"allowed_hosts": "lore.example, Other"}, "LORE.example:8080", 200),
        ({"allowed_hosts": "lore.example"}, "x.lore.example", 400),
        ({"allowed_hosts": "lore.example"}, "10.0.0.1", 400),
        ({"allowed_hosts": "*"}, "any.example", 200),
        ({"allow_anonymous": True}, "10.0.0.1:8080", 200),
        ({"allow_anonymous": True}, "[fd00::1]:8080", 200),
        ({"allow_anonymous": True}, "any.example", 400),
        ({"auth": "keys"}, "any.example", 401),
        ({"auth": "keys", "allowed_hosts": "lore.example"}, "any.example", 400),
        ({"auth": "keys", "allowed_hosts": "lore.example"}, "10.0.0.1", 401),
    ],
)
async def test_which_names_are_answered_to_is_a_setting(
    redis: Any, registry: JobRegistry, database: Database, settings: dict[str, Any], host: str, status: int
) -> None:
    async with guarded(redis, registry, database, **{"auth": "none", **settings}) as api:
        assert (await (await api.client()).get("/jobs", headers={"Host": host})).status_code == status


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:9999", "http://localhost.evil.example", "x" * 3000]
)
async def test_pages_of_strangers_change_nothing(local: Guarded, origin: str) -> None:
    client = await local.client()
    job_id = (await client.post("/jobs", json=SUBMIT)).json()["id"]
    strange = {"Origin": origin}
    for path in ("/jobs", "/jobs/batch", f"/jobs/{job_id}/cancel", f"/jobs/{job_id}/tokens", "/queues/default/pause"):
        answer = await client.post(path, headers=strange)
        assert_problem(answer, 403, "origin_not_allowed")
        assert len(answer.content) < 600
    assert_problem(await client.delete(f"/jobs/{job_id}", headers=strange), 403, "origin_not_allowed")
    assert (await client.get(f"/jobs/{job_id}", headers=strange)).json()["state"] == "queued"
    assert "access-control-allow-origin" not in (await client.get(f"/jobs/{job_id}", headers=strange)).headers


@pytest.mark.parametrize("origin", ["http://localhost", "HTTP://LOCALHOST", APP, "http://localhost:5173"])
async def test_the_servers_own_page_and_those_that_are_allowed_may(local: Guarded, origin: str) -> None:
    client = await local.client()
    assert (await client.post("/jobs", json=SUBMIT, headers={"Origin": origin})).status_code == 202


async def test_a_page_that_is_allowed_may_read_what_the_contract_promises(local: Guarded) -> None:
    client, page = await local.client(), {"Origin": APP}
    asks = {**page, "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    preflight = await client.options(f"/jobs/{uuid4()}", headers=asks)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == APP
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]
    answer = await client.post("/jobs", json=SUBMIT, headers=page)
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    shown = answer.headers["access-control-expose-headers"].split(", ")
    assert {"Location", "ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"} <= set(shown)
    read = await client.get(answer.headers["location"], headers=page)
    assert read.headers["access-control-allow-origin"] == APP
    assert (await client.options("/jobs", headers={**asks, "Origin": "https://evil.example"})).status_code == 400


async def test_without_the_setting_no_page_of_another_origin_reads_anything(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database) as api:
        anna = await api.owner("anna")
        answer = await anna.get("/jobs", headers={"Origin": APP})
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        probe = await anna.get("/healthz", headers={"Origin": APP})
        assert not [name for name in probe.headers if name.startswith("access-control")]
        assert probe.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
        assert probe.headers["x-content-type-options"] == "nosniff"


async def test_a_page_of_ours_may_use_files_of_this_server_and_nothing_inline(local: Guarded) -> None:
    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse("<!doctype html>")

    local.app.add_route("/page", page)
    policy = (await (await local.client()).get("/page")).headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
