"""Saved worlds over HTTP: listed, read and deleted by whoever they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.api import create_app
from loresmith.api.caller import caller_named
from loresmith.cli.database import with_database
from loresmith.db import Database, SqliteFile, World, Worlds
from loresmith.jobs import JobManager
from tests.api.conftest import assert_problem, in_process
from tests.api.test_openapi import check
from tests.db.samples import PARAGRAPHS, new_world


@pytest.fixture
async def saved(worlds: Worlds) -> World:
    return await worlds.save(new_world())


async def test_a_world_is_read_as_it_was_saved(app: FastAPI, api: httpx2.AsyncClient, saved: World) -> None:
    answer = await api.get(f"/worlds/{saved.id}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    world: dict[str, Any] = answer.json()
    check(app.openapi(), "WorldObject", world)
    assert world["story"].split("\n\n") == PARAGRAPHS
    assert world["quest"]["stages"] == ["Wake", "Walk", "Win"]
    assert [piece["type"] for piece in world["pieces"]] == ["character", "relic"]
    assert world["pieces"][0]["details"] == {"stats": {"health": 90}}
    assert (world["job_id"], world["user_id"], world["theme"]) == (saved.job_id, "7", "norse-mythology")
    assert world["created_at"].endswith("Z")
    assert world["links"] == {"self": f"/worlds/{saved.id}"}
    assert "owner" not in world


async def test_worlds_are_listed_page_by_page_without_their_stories(
    app: FastAPI, api: httpx2.AsyncClient, worlds: Worlds
) -> None:
    ids = [(await worlds.save(new_world())).id for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = (await api.get("/worlds", params={"limit": "2", **({"cursor": cursor} if cursor else {})})).json()
        check(app.openapi(), "WorldList", page)
        assert all("story" not in world for world in page["data"])
        seen += [world["id"] for world in page["data"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (ids[::-1], None)


async def test_no_worlds_are_an_empty_list(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/worlds")).json() == {"data": [], "next_cursor": None}


async def test_a_deleted_world_is_gone(api: httpx2.AsyncClient, saved: World) -> None:
    answer = await api.delete(f"/worlds/{saved.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(await api.get(f"/worlds/{saved.id}"), 404, "world_not_found")
    assert_problem(await api.delete(f"/worlds/{saved.id}"), 404, "world_not_found")
    assert (await api.get("/worlds")).json()["data"] == []


async def test_somebody_elses_world_is_as_if_it_were_not(
    api: httpx2.AsyncClient, worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.api.guard.LOCAL", caller_named("local", admin=False))
    other = await worlds.save(new_world(owner="anna"))
    assert_problem(await api.get(f"/worlds/{other.id}"), 404, "world_not_found")
    assert_problem(await api.delete(f"/worlds/{other.id}"), 404, "world_not_found")
    assert (await api.get("/worlds")).json()["data"] == []
    assert (await worlds.get(other.id, owner="anna")) == other


async def test_an_admin_has_everybodys_worlds(api: httpx2.AsyncClient, worlds: Worlds, saved: World) -> None:
    other = await worlds.save(new_world(owner="anna"))
    assert [world["id"] for world in (await api.get("/worlds")).json()["data"]] == [other.id, saved.id]
    assert (await api.get(f"/worlds/{other.id}")).json()["id"] == other.id
    assert (await api.delete(f"/worlds/{other.id}")).status_code == 204


async def test_an_unknown_world_is_not_found(api: httpx2.AsyncClient) -> None:
    assert_problem(await api.get(f"/worlds/{uuid4()}"), 404, "world_not_found")


@pytest.mark.parametrize(
    "world_id",
    [
        "x",
        "%00",
        "%FF",
        "14d440133cd04844b5d0a6887a6616e5",
        "x" * 5000,
        "..%00",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_id_that_is_none_is_told_so(app: FastAPI, api: httpx2.AsyncClient, method: str, world_id: str) -> None:
    answer = await api.request(method, f"/worlds/{world_id}")
    problem = assert_problem(answer, 400, "invalid_parameter")
    check(app.openapi(), "InvalidParameterProblem", problem)
    assert problem["parameter"] == "world_id"
    assert len(answer.content) < 500


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=%F0%9F%98%80", "cursor"),
        ("limit=5&cursor=" + "A" * 5000, "cursor"),
    ],
)
async def test_a_wrong_parameter_is_named(api: httpx2.AsyncClient, query: str, parameter: str) -> None:
    problem = assert_problem(await api.get(f"/worlds?{query}"), 400, "invalid_parameter")
    assert problem["parameter"] == parameter
    assert problem["detail"].startswith(f"{parameter}: expected ")


async def test_a_database_that_is_away_is_named_and_jobs_go_on(manager: JobManager, tmp_path: Path) -> None:
    database = Database(SqliteFile(tmp_path / "nowhere" / "x.sqlite3"))

    async def all_else() -> dict[str, str]:
        return {}

    app = create_app(manager, Worlds(database), readiness=with_database(all_else, database), version="0.0.0")
    async with in_process(app) as api:
        for answer in (
            await api.get("/worlds"),
            await api.get(f"/worlds/{uuid4()}"),
            await api.delete(f"/worlds/{uuid4()}"),
        ):
            problem = assert_problem(answer, 503, "store_unavailable")
            assert problem["retryable"] is True
            assert int(answer.headers["retry-after"]) > 0
        missing = assert_problem(await api.get("/readyz"), 503, "not_ready")["missing"]
        assert missing == {"database": "does not answer"}
        submitted = await api.post("/jobs", json={"type": "write_verses", "payload": {"about": "rain"}})
        assert submitted.status_code == 202
    await database.close()
