"""The API under a path of another application, with the users of that application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI, Header
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from loresmith.api.page import Page
from loresmith.asgi import Jobs, answer_problem, asgi_app
from loresmith.client import AsyncJobsClient, ForbiddenError, NotFoundError, ProblemError, UnauthenticatedError
from loresmith.jobs import Worker
from tests.api.conftest import assert_problem
from tests.asgi.conftest import ANNA, BJORN, PREFIX, current_user

Cue = Callable[[str], asyncio.Event]
JOB: dict[str, Any] = {"type": "write_verses", "payload": {"about": "rain"}}


async def test_links_and_events_work_under_the_path(http: httpx2.AsyncClient, worker: Worker) -> None:
    made = await http.post(f"{PREFIX}/jobs", json=JOB, headers=ANNA)
    job = made.json()
    path = f"{PREFIX}/jobs/{job['id']}"
    assert made.headers["location"] == path
    assert job["links"] == {"self": path, "events": f"{path}/events", "cancel": f"{path}/cancel"}
    async with http.stream("GET", job["links"]["events"], headers=ANNA) as stream:
        lines = [line async for line in stream.aiter_lines()]
    assert "event: done" in lines
    assert (await http.get(path, headers=ANNA)).json()["status"] == "completed"
    document = (await http.get(f"{PREFIX}/openapi.json")).json()
    assert document["servers"] == [{"url": PREFIX}]


async def test_page_works_under_the_path(
    http: httpx2.AsyncClient, host: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<!doctype html><script src="./assets/a-0b.js"></script>')
    (tmp_path / "assets" / "a-0b.js").write_text("let a = 1;")
    monkeypatch.setattr("loresmith.api.app.Page", partial(Page, tmp_path))
    script = f"{PREFIX}/assets/a-0b.js"
    for path in ("/", "/my-jobs"):
        assert f'src="{script}"' in (await http.get(f"{PREFIX}{path}")).text
    assert (await http.get(script)).text == "let a = 1;"
    assert host.state.asked == [], "the page itself is for everybody, its data is not"


async def test_owner_is_whom_the_application_knows(address: str, jobs: Jobs, host: FastAPI) -> None:
    async with httpx2.AsyncClient(base_url=f"{address}{PREFIX}", trust_env=False) as http:
        job_id = (await http.post("/jobs", json=JOB, headers=ANNA)).json()["id"]
        assert (await jobs.as_owner("anna").get(job_id)).type == "write_verses"
        assert_problem(await http.get(f"/jobs/{job_id}", headers=BJORN), 404, "job_not_found")
        assert (await http.get(f"/jobs/{job_id}", headers={"X-User": "root"})).status_code == 200
        assert (await http.get("/me", headers={"X-User": "number"})).json() == {"owner": "7", "admin": False}
        assert (await http.get("/me", headers={"X-User": "root"})).json() == {"owner": "root", "admin": True}
        refused = await http.get(f"/jobs/{job_id}")
        assert_problem(refused, 401, "unauthorized")
        assert (refused.json()["detail"], refused.headers["WWW-Authenticate"]) == ("log in first", "Session")
        assert_problem(await http.get(f"/jobs/{job_id}", headers={"X-User": "nobody"}), 401, "unauthorized")
        banned = assert_problem(await http.post("/jobs", json=JOB, headers={"X-User": "banned"}), 403, "forbidden")
        assert banned["detail"] == "you are banned"
        world = {"type": "create_world", "payload": {"theme": "fantasy", "user_id": "bjorn"}}
        assert_problem(await http.post("/jobs", json=world, headers=ANNA), 403, "forbidden")
        foreign = {**ANNA, "Origin": "https://evil.example"}
        assert_problem(await http.post("/jobs", json=JOB, headers=foreign), 403, "origin_not_allowed")
    assert len([one async for one in jobs.as_owner("anna").list()]) == 1


async def test_python_client_understands_who_refuses(address: str) -> None:
    async with AsyncJobsClient(f"{address}{PREFIX}") as client:
        with pytest.raises(UnauthenticatedError, match="log in first"):
            await client.submit("write_verses", about="rain")


async def test_token_of_a_job_opens_it_without_the_application(address: str, jobs: Jobs, worker: Worker) -> None:
    job = await jobs.as_owner("anna").submit("write_verses", about="rain")
    other = await jobs.as_owner("anna").submit("write_verses", about="snow")
    token = (await job.create_token()).token
    async with AsyncJobsClient(f"{address}{PREFIX}", token) as client:
        assert (await client.wait(job.id, timeout=20)).status == "completed"
        with pytest.raises(NotFoundError):
            await client.get(other.id)
        with pytest.raises(ForbiddenError):
            await client.cancel(job.id)
    async with httpx2.AsyncClient(trust_env=False) as http:
        events = await http.get(f"{address}{PREFIX}/jobs/{job.id}/events", params={"token": token})
    assert "event: done" in events.text


async def test_dependency_is_overridden_as_in_the_routes_around(http: httpx2.AsyncClient, host: FastAPI) -> None:
    async def somebody_else() -> str:
        return "carla"

    host.dependency_overrides[current_user] = somebody_else
    assert (await http.get(f"{PREFIX}/me")).json()["owner"] == "carla"


async def test_stream_ends_when_the_user_is_no_longer_known(
    http: httpx2.AsyncClient, cue: Cue, worker: Worker, host: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.api.credential.CHECK_SECONDS", 0.05)
    cue("go")
    job = (
        await http.post(f"{PREFIX}/jobs", json={"type": "play", "payload": {"steps": ["wait:go"]}}, headers=ANNA)
    ).json()
    async with http.stream("GET", job["links"]["events"], headers=ANNA) as stream:
        lines = stream.aiter_lines()
        while "snapshot" not in await anext(lines):
            pass
        host.dependency_overrides[current_user] = lambda: None
        assert "event: closed" in [line async for line in lines]


async def test_owner_that_is_no_owner_is_a_fault_of_the_application(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    app = FastAPI()
    app.mount("/lore", asgi_app(jobs, owner=lambda: {"name": "anna"}))
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as http:
        assert_problem(await http.get("/lore/me"), 500, "internal")


async def test_starlette_application_takes_it_too(jobs: Jobs) -> None:
    def owner(request: Request) -> str:
        return request.headers["x-user"]

    app = Starlette(routes=[Mount("/lore", asgi_app(jobs, owner=owner))])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as http:
        assert (await http.get("/lore/me", headers=ANNA)).json()["owner"] == "anna"


async def test_errors_of_jobs_are_answered_as_the_api_does(jobs: Jobs) -> None:
    app = FastAPI()
    app.add_exception_handler(ProblemError, answer_problem)

    @app.get("/parties/{party_id}")
    async def read(party_id: str, x_user: Annotated[str, Header()]) -> None:
        await jobs.as_owner(x_user).get(party_id)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as http:
        answer = await http.get("/parties/none", headers=ANNA)
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert answer.headers["content-type"] == "application/problem+json"


def test_api_that_would_be_open_to_everybody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="asgi_app: owner is missing"):
        asgi_app(Jobs(data_dir=tmp_path))
    chosen: list[dict[str, Any]] = [{"allow_anonymous": True}, {"auth": "keys"}]
    for settings in chosen:
        assert callable(asgi_app(Jobs(data_dir=tmp_path, **settings)))


async def test_websocket_is_closed(host: FastAPI) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": f"{PREFIX}/jobs", "headers": [], "query_string": b""}
    await host(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
