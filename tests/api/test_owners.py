"""What is somebody else's does not exist, on every route; an admin sees and acts on everything."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import AliasChoices, BaseModel, Field

from loresmith.db import Database, Worlds
from loresmith.jobs import LOCAL_OWNER, JobContext, JobRegistry, Options, Worker, job_type
from tests.api.conftest import assert_problem
from tests.api.guarded import Client, Guarded, guarded, submitted_by
from tests.db.samples import new_world
from tests.waiting import wait_until

PUBLIC = {"/healthz", "/readyz"}


class OfUser(BaseModel):
    """A payload that names a user."""

    user_id: str | int = Field(validation_alias=AliasChoices("user_id", "userId"))


@job_type("for_user", description="For somebody")
async def for_user(ctx: JobContext[OfUser]) -> str:
    return str(ctx.payload.user_id)


@pytest.fixture
def registry(registry: JobRegistry) -> JobRegistry:
    return registry.add(for_user)


@pytest.fixture
async def api(redis: Any, registry: JobRegistry, database: Database) -> AsyncIterator[Guarded]:
    async with guarded(redis, registry, database) as api:
        yield api


def operations(app: FastAPI, **ids: str) -> list[tuple[str, str]]:
    """Return method and path of every operation."""
    paths = app.openapi()["paths"]
    return [
        (method.upper(), path.format(**{"job_id": str(uuid4()), "world_id": str(uuid4()), "name": "default", **ids}))
        for path, methods in paths.items()
        for method in methods
    ]


async def test_no_route_but_those_of_health_and_documents_answers_a_caller_without_a_key(api: Guarded) -> None:
    nobody = await api.client()
    asked = operations(api.app)
    assert len(asked) > 15
    for method, path in asked:
        answer = await nobody.request(method, path)
        if path in PUBLIC:
            assert answer.status_code == 200, path
        else:
            assert_problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == 'Bearer realm="loresmith"'
    for path in ("/openapi.json", "/docs"):
        assert (await nobody.get(path)).status_code == 200


async def test_a_job_and_a_world_of_another_owner_do_not_exist_on_any_route(api: Guarded, worlds: Worlds) -> None:
    anna, bob = await api.owner("anna"), await api.owner("bob")
    job_id = await submitted_by(anna)
    world = await worlds.save(new_world(owner="anna"))
    asked = operations(api.app, job_id=job_id, world_id=world.id)
    of_things = [(method, path) for method, path in asked if job_id in path or world.id in path]
    assert len(of_things) == 9
    for method, path in of_things:
        code = "job_not_found" if job_id in path else "world_not_found"
        unknown = path.replace(job_id, str(uuid4())).replace(world.id, str(uuid4()))
        theirs, nobodys = await bob.request(method, path), await bob.request(method, unknown)
        assert_problem(theirs, 404, code)
        differ = {"request_id": None}
        assert {**theirs.json(), **differ} == {**nobodys.json(), **differ}, "they cannot be told apart"
    assert (await anna.get(f"/jobs/{job_id}")).json()["state"] == "queued"
    assert (await anna.get(f"/worlds/{world.id}")).status_code == 200


async def test_lists_hold_what_is_the_callers(api: Guarded, worlds: Worlds) -> None:
    anna, bob, admin = await api.owner("anna"), await api.owner("bob"), await api.owner("root", admin=True)
    hers, his = await submitted_by(anna), await submitted_by(bob)
    of_hers, of_his = await worlds.save(new_world(owner="anna")), await worlds.save(new_world(owner="bob"))

    async def seen(client: Client, path: str) -> set[str]:
        return {one["id"] for one in (await client.get(path)).json()["data"]}

    assert (await seen(anna, "/jobs"), await seen(bob, "/jobs")) == ({hers}, {his})
    assert await seen(admin, "/jobs") == {hers, his}
    both = (await bob.get(f"/jobs?ids={hers},{his}")).json()
    assert ([one["id"] for one in both["data"]], both["missing"]) == ([his], [hers])
    assert await seen(anna, "/worlds") == {of_hers.id}
    assert await seen(admin, "/worlds") == {of_hers.id, of_his.id}


async def test_an_admin_acts_on_everybodys_and_the_job_stays_its_owners(api: Guarded) -> None:
    anna, admin = await api.owner("anna"), await api.owner("root", admin=True)
    job_id = await submitted_by(anna)
    assert (await admin.get(f"/jobs/{job_id}")).status_code == 200
    assert (await admin.post(f"/jobs/{job_id}/cancel")).status_code == 200
    again = (await admin.post(f"/jobs/{job_id}/retry")).json()["id"]
    assert (await anna.get(f"/jobs/{again}")).json()["retry_of"] == job_id
    assert (await admin.delete(f"/jobs/{job_id}")).status_code == 204
    assert (await admin.post("/queues/default/pause")).status_code == 204
    assert (await admin.post("/queues/default/resume")).status_code == 204
    assert_problem(await anna.post("/queues/default/pause"), 403, "forbidden")


async def test_two_owners_may_use_one_idempotency_key_at_once(api: Guarded) -> None:
    anna, bob = await api.owner("anna"), await api.owner("bob")
    body: dict[str, Any] = {"type": "play", "payload": {}}
    same = {"Idempotency-Key": "one"}
    submits = [client.post("/jobs", json=body, headers=same) for client in (anna, bob) * 5]
    answers = await asyncio.gather(*submits)
    hers, his = ({one.json()["id"] for one in answers[place::2]} for place in (0, 1))
    assert (len(hers), len(his), hers & his) == (1, 1, set())
    assert_problem(await bob.get(f"/jobs/{hers.pop()}"), 404, "job_not_found")


@pytest.mark.parametrize("payload", [{"user_id": "bob"}, {"userId": "bob"}, {"user_id": "anna", "userId": "bob"}])
async def test_a_user_other_than_the_caller_is_refused_and_no_job_exists(api: Guarded, payload: dict[str, Any]) -> None:
    anna, admin = await api.owner("anna"), await api.owner("root", admin=True)
    job = {"type": "for_user", "payload": payload}
    problem = assert_problem(await anna.post("/jobs", json=job), 403, "forbidden")
    assert problem["errors"][0]["pointer"] in ("/payload/user_id", "/payload/userId")
    mine = {"type": "for_user", "payload": {"user_id": "anna"}}
    assert_problem(await anna.post("/jobs/batch", json={"jobs": [mine, job]}), 403, "forbidden")
    assert (await anna.get("/jobs")).json()["data"] == []
    assert (await anna.post("/jobs", json=mine)).status_code == 202
    assert (await admin.post("/jobs", json={"type": "for_user", "payload": {"user_id": "bob"}})).status_code == 202


@pytest.mark.parametrize(
    ("user", "status"), [(7, 202), ("7", 202), (7.0, 400), (8, 403), (8.0, 403), (True, 403), ([], 400)]
)
async def test_a_number_is_the_caller_whose_name_it_is(api: Guarded, user: object, status: int) -> None:
    seven = await api.owner("7")
    answer = await seven.post("/jobs", json={"type": "for_user", "payload": {"user_id": user}})
    assert answer.status_code == status, answer.text


async def test_without_keys_a_user_is_any_text_or_number(redis: Any, registry: JobRegistry, database: Database) -> None:
    async with guarded(redis, registry, database, auth="none") as api:
        anyone = await api.client()
        for user in (7, "anna"):
            answer = await anyone.post("/jobs", json={"type": "for_user", "payload": {"user_id": user}})
            assert answer.status_code == 202


async def test_what_the_local_owner_made_before_is_a_key_owners_of_that_name(api: Guarded) -> None:
    before = await api.manager.create("play", {}, Options(owner=LOCAL_OWNER))
    local, anna = await api.owner(LOCAL_OWNER), await api.owner("anna")
    assert (await local.get(f"/jobs/{before.id}")).status_code == 200
    assert (await anna.get(f"/jobs/{before.id}")).status_code == 404


async def test_owners_enter_redis_as_digests(api: Guarded, redis: Any) -> None:
    evil = await api.owner("x}:{jobs:*")
    job_id = await submitted_by(evil)
    names = [bytes(name).decode() async for name in redis.scan_iter(count=1000)]
    assert not [name for name in names if "x}" in name]
    assert (await evil.get(f"/jobs/{job_id}")).json()["owner"].isalnum()


async def test_active_jobs_of_an_owner_are_bounded_and_others_are_not_held_up(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database, owner_active_jobs=2, owner_running_jobs=1) as api:
        anna, bob = await api.owner("anna"), await api.owner("bob")
        first, _ = await submitted_by(anna), await submitted_by(anna)
        answer = await anna.post("/jobs", json={"type": "play", "payload": {}})
        assert_problem(answer, 429, "too_many_active_jobs")
        assert int(answer.headers["retry-after"]) > 0
        await submitted_by(bob)
        await anna.post(f"/jobs/{first}/cancel")
        await submitted_by(anna)


async def test_the_size_of_a_job_is_bounded_alone_and_in_a_batch(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database, owner_payload_bytes=1024) as api:
        anna = await api.owner("anna")
        large = {"type": "write_verses", "payload": {"about": "rain", "words": {"a": "x" * 1000}}}
        small = {"type": "write_verses", "payload": {"about": "rain"}}
        assert_problem(await anna.post("/jobs", json=large), 413, "payload_too_large")
        assert_problem(await anna.post("/jobs/batch", json={"jobs": [small, large]}), 413, "payload_too_large")
        assert (await anna.post("/jobs/batch", json={"jobs": [small] * 30})).status_code == 202


async def test_a_job_runs_for_its_owner_alone(api: Guarded, worker: Worker) -> None:
    anna, bob = await api.owner("anna"), await api.owner("bob")
    job_id = await submitted_by(anna, "item:0")

    async def done() -> bool:
        return (await anna.get(f"/jobs/{job_id}")).json()["done"]

    await wait_until(done)
    assert_problem(await bob.get(f"/jobs/{job_id}/events"), 404, "job_not_found")
    assert (await bob.get(f"/jobs/{job_id}", headers={"If-None-Match": "*"})).status_code == 404
    events = await anna.get(f"/jobs/{job_id}/events")
    assert "event: done" in events.text


@pytest.mark.parametrize(
    "trick", ["/jobs/{}%00", "/jobs/{}/", "/jobs/./{}", "//jobs/{}", "/jobs/{}/events/", "/JOBS/{}"]
)
async def test_tricks_with_paths_open_nothing_of_anothers(api: Guarded, trick: str) -> None:
    anna, bob = await api.owner("anna"), await api.owner("bob")
    job_id = await submitted_by(anna)
    for client in (bob, await api.client()):
        answer = await client.get(httpx2.URL(f"http://localhost{trick.format(job_id)}"))
        assert answer.status_code in (401, 404)
        assert job_id not in answer.text


async def test_a_bug_in_the_guard_lets_nobody_in_and_says_nothing(
    api: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    anna = await api.owner("anna")
    monkeypatch.setattr(api.access.guard, "identify", broken)
    assert "secret" not in assert_problem(await anna.get(f"/jobs/{uuid4()}"), 500, "internal")["detail"]
    transport = httpx2.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/stats")
    assert (answer.status_code, "secret" in answer.text) == (500, False)
