"""A path prefix of a proxy: every address that the API gives out is the one that works outside."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.api import create_app
from loresmith.api.connections import Connections
from loresmith.api.page import Page
from loresmith.cli.http import serving
from loresmith.client import AsyncJobsClient, JobsClient
from loresmith.db import Worlds
from loresmith.jobs import JobManager, Worker
from loresmith.settings import SettingsError, load_settings
from tests.api.conftest import ended, in_process, submitted
from tests.api.sse import get
from tests.db.samples import new_world

HTML = '<!doctype html><link href="./icon.svg"><meta name="base" content="./"><script src="./assets/a-0b.js"></script>'
PREFIX = {"X-Forwarded-Prefix": "/lore"}
SUBMIT: dict[str, Any] = {"type": "play", "payload": {}}


@pytest.fixture
def page(tmp_path: Path) -> Page:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(HTML)
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "a-0b.js").write_text("let a = 1;")
    return Page(tmp_path)


def with_page(app: FastAPI, page: Page) -> FastAPI:
    app.state.page = page
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/assets"]
    app.mount("/assets", page.assets)
    return app


@asynccontextmanager
async def served(app: FastAPI) -> AsyncGenerator[str]:
    """The API as `loresmith serve` serves it; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        async with serving(app, bound, Connections()):
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def assert_works_below(prefix: str, api: httpx2.AsyncClient, inside: str) -> None:
    """Check every kind of address below a prefix; `inside` is what of it the proxy leaves in a path."""
    answer = await api.post(f"{inside}/jobs", json=SUBMIT)
    job = answer.json()
    path = f"{prefix}/jobs/{job['id']}"
    links = {"self": path, "events": f"{path}/events", "cancel": f"{path}/cancel"}
    assert (answer.headers["location"], job["links"]) == (path, links)
    batch = (await api.post(f"{inside}/jobs/batch", json={"jobs": [SUBMIT]})).json()["jobs"]
    assert batch[0]["links"]["self"] == f"{prefix}/jobs/{batch[0]['id']}"
    own = f"{inside}/jobs/{job['id']}"
    assert (await api.get(own)).json()["links"] == links
    assert (await api.get(f"{inside}/jobs?ids={job['id']}")).json()["data"][0]["links"] == links
    assert (await api.post(f"{own}/cancel")).json()["links"] == links
    assert f'"self":"{path}"' in (await api.get(f"{own}/events")).text
    retried = await api.post(f"{own}/retry")
    assert retried.headers["location"] == f"{prefix}/jobs/{retried.json()['id']}"
    document = (await api.get(f"{inside}/openapi.json")).json()
    assert (document["servers"], "/jobs" in document["paths"]) == ([{"url": prefix}], True)
    docs = (await api.get(f"{inside}/docs")).text
    assert f'href="{prefix}/openapi.json"' in docs
    assert f"<code>{prefix}/jobs</code>" in docs
    for path in ("/", "/story/x", "/my-jobs"):
        shown = (await api.get(f"{inside}{path}")).text
        assert re.findall(r'"([^"]*)"', shown) == [
            f"{prefix}/icon.svg", "base", f"{prefix}/", f"{prefix}/assets/a-0b.js",
        ]  # fmt: skip
    assert (await api.get(f"{inside}/assets/a-0b.js")).text == "let a = 1;"
    assert (await api.get(f"{inside}/icon.svg")).status_code == 200
    assert (await api.get(f"{inside}/healthz")).status_code == 200


@pytest.mark.parametrize("inside", ["", "/lore"], ids=["stripped", "left"])
async def test_a_prefix_in_a_header_is_in_every_address(app: FastAPI, page: Page, inside: str) -> None:
    async with in_process(with_page(app, page)) as api:
        api.headers.update(PREFIX)
        await assert_works_below("/lore", api, inside)


@pytest.mark.parametrize("inside", ["", "/deep/lore"], ids=["stripped", "left"])
async def test_a_prefix_can_be_a_setting(manager: JobManager, worlds: Worlds, page: Page, inside: str) -> None:
    app = create_app(manager, worlds, version="0.0.0", root_path=load_settings(root_path="deep/lore/").root_path)
    async with in_process(with_page(app, page)) as api:
        api.headers["X-Forwarded-Prefix"] = "/other"
        await assert_works_below("/deep/lore", api, inside)


async def test_a_prefix_can_be_the_root_path_of_the_server(app: FastAPI, page: Page) -> None:
    transport = httpx2.ASGITransport(with_page(app, page), root_path="/lore")
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as api:
        await assert_works_below("/lore", api, "")
        await assert_works_below("/lore", api, "/lore")


async def test_links_of_a_world_have_the_prefix(api: httpx2.AsyncClient, worlds: Worlds) -> None:
    world = await worlds.save(new_world())
    for path in (f"/worlds/{world.id}", "/worlds"):
        assert f'"self":"/lore/worlds/{world.id}"' in (await api.get(path, headers=PREFIX)).text


async def test_prefixes_of_several_proxies_are_joined(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/jobs", json=SUBMIT, headers={"X-Forwarded-Prefix": "/outer/, /inner"})
    assert answer.headers["location"].startswith("/outer/inner/jobs/")


@pytest.mark.parametrize(
    "prefix",
    ["//evil.example", "/a/../b", "/.", 'x"onload="', "/a b", "/<script>", "javascript:alert(1)", "/é", "/" * 9],
)
async def test_what_is_no_prefix_changes_nothing_that_matters(api: httpx2.AsyncClient, prefix: str) -> None:
    answer = await api.post("/jobs", json=SUBMIT, headers={b"X-Forwarded-Prefix": prefix.encode()})
    assert re.fullmatch(r"(/evil\.example)?/jobs/[0-9a-f-]{36}", answer.headers["location"])


async def test_a_prefix_of_a_stranger_is_not_read(app: FastAPI) -> None:
    transport = httpx2.ASGITransport(app, client=("10.0.0.9", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as api:
        answer = await api.post("/jobs", json=SUBMIT, headers=PREFIX)
    assert answer.headers["location"].startswith("/jobs/")


async def test_whose_headers_count_is_the_variable_of_uvicorn(
    manager: JobManager, worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.0/8")
    transport = httpx2.ASGITransport(create_app(manager, worlds, version="0.0.0"), client=("10.0.0.9", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as api:
        answer = await api.post("/jobs", json=SUBMIT, headers={**PREFIX, "X-Forwarded-For": "192.0.2.1"})
    assert answer.headers["location"].startswith("/lore/jobs/")


async def test_a_prefix_like_a_path_of_the_api_is_one_that_the_proxy_removes(api: httpx2.AsyncClient) -> None:
    headers = {"X-Forwarded-Prefix": "/jobs"}
    location = (await api.post("/jobs", json=SUBMIT, headers=headers)).headers["location"]
    assert location.startswith("/jobs/jobs/")
    assert (await api.get(location.removeprefix("/jobs"), headers=headers)).json()["links"]["self"] == location


@pytest.mark.parametrize("path", ["http://x/lore", "/a//b", "/..", "/a b", "/" + "x" * 300])
def test_a_setting_that_is_no_path_is_refused_by_name(path: str) -> None:
    with pytest.raises(SettingsError, match=r"LORESMITH_ROOT_PATH=.*: expected a path such as /lore"):
        load_settings(root_path=path)


async def test_the_page_may_act_behind_a_proxy_that_changes_the_host(api: httpx2.AsyncClient, app: FastAPI) -> None:
    outer = {"Origin": "https://localhost:8443", "Host": "127.0.0.1:8080", "X-Forwarded-Host": "localhost:8443"}
    assert (await api.post("/jobs", json=SUBMIT, headers=outer)).status_code == 202
    evil = {**outer, "Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    assert (await api.post("/jobs", json=SUBMIT, headers=evil)).status_code == 403
    transport = httpx2.ASGITransport(app, client=("10.0.0.9", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as stranger:
        assert (await stranger.post("/jobs", json=SUBMIT, headers=outer)).status_code == 403
    rebound = {"Origin": "http://evil.example", "Host": "evil.example", "X-Forwarded-Host": "localhost"}
    assert (await api.post("/jobs", json=SUBMIT, headers=rebound)).status_code == 400


async def test_clients_work_below_a_path(
    manager: JobManager, worlds: Worlds, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(manager, worlds, version="0.0.0", root_path="/lore")
    async with served(app) as url:
        monkeypatch.setenv("LORESMITH_URL", f"{url}/lore/")
        async with AsyncJobsClient() as client:
            job = await client.submit("play", {"steps": ["item:0"]})
            assert [update.job.done async for update in client.stream(job.id)][-1]
        with JobsClient() as plain:
            assert job.id in await asyncio.to_thread(lambda: [one.id for one in plain.list()])


async def test_events_over_a_socket_have_the_prefix(app: FastAPI, worker: Worker) -> None:
    async with served(app) as url, httpx2.AsyncClient(base_url=url) as remote:
        job = await ended(remote, await submitted(remote))
        port = int(url.rpartition(":")[2])
        answer = await get(("127.0.0.1", port), f"/lore/jobs/{job['id']}/events", **PREFIX)
        done = [told async for told in answer.events()][-1]
        answer.close()
    assert done.data["links"]["self"] == f"/lore/jobs/{job['id']}"
