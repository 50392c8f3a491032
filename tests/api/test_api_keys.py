"""API keys at the door: no SQL for a request, an end for revoked ones, and a database may be away for a while."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from loresmith.api.api_keys import ApiKeys
from loresmith.api.guard import KeyGuard
from loresmith.api.refreshed import Ages
from loresmith.db import Database, Keys, SqliteFile, StorageUnavailableError
from loresmith.jobs import JobRegistry
from tests.api.conftest import assert_problem
from tests.api.guarded import Guarded, guarded
from tests.waiting import wait_until

IMPATIENT = Ages(fresh=0.0, due=0.0, kept=300.0, missed=0.0)
"""The age of keys that are asked for with each request."""


@pytest.fixture
async def api(redis: Any, registry: JobRegistry, database: Database) -> AsyncIterator[Guarded]:
    async with guarded(redis, registry, database) as api:
        yield api


def checked_of(api: Guarded) -> ApiKeys:
    assert isinstance(api.access.guard, KeyGuard)
    checked = api.access.guard._keys
    assert checked is not None
    return checked


def impatient(api: Guarded) -> None:
    checked_of(api)._kept._ages = IMPATIENT


def counted(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each question to the database."""
    asked: list[str] = []
    ring = Keys.ring

    async def counting(self: Keys, *known: Any) -> Any:
        asked.append("ring")
        return await ring(self, *known)

    monkeypatch.setattr(Keys, "ring", counting)
    return asked


async def test_hundreds_of_requests_ask_the_database_once(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await api.owner("anna")
    asked = counted(api, monkeypatch)
    for _ in range(4):
        answers = await asyncio.gather(*(anna.get(f"/jobs/{uuid4()}") for _ in range(100)))
        assert {answer.status_code for answer in answers} == {404}
    assert len(asked) <= 2


async def test_a_flood_of_wrong_keys_asks_the_database_once_a_second(
    api: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await api.owner("anna")
    asked = counted(api, monkeypatch)
    nobody = await api.client()
    for number in range(300):
        wrong = {"Authorization": f"Bearer ls_{number:043d}"}
        assert_problem(await nobody.get("/jobs", headers=wrong), 401, "unauthorized")
    assert (await anna.get("/jobs")).status_code == 200
    assert len(asked) <= 10


async def test_a_revoked_key_stops(api: Guarded) -> None:
    anna, bob = await api.owner("anna"), await api.owner("bob")
    assert (await anna.get("/jobs")).status_code == 200
    await api.keys.revoke(api.made[0][:11])
    impatient(api)
    answer = await anna.get("/jobs")
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="loresmith", error="invalid_token"'
    assert (await bob.get("/jobs")).status_code == 200


async def test_a_new_key_works_although_all_keys_were_read_before(api: Guarded) -> None:
    anna = await api.owner("anna")
    await anna.get("/jobs")
    impatient(api)
    assert (await (await api.owner("bob")).get("/jobs")).status_code == 200


async def test_a_key_that_has_expired_opens_nothing(api: Guarded) -> None:
    now = datetime.now(UTC)
    old, _ = await api.keys.create("anna", expires_at=now - timedelta(seconds=1))
    live, _ = await api.keys.create("anna", expires_at=now + timedelta(hours=1))
    assert_problem(await (await api.client(old)).get("/jobs"), 401, "unauthorized")
    assert (await (await api.client(live)).get("/jobs")).status_code == 200


async def test_while_the_database_is_away_known_keys_work_and_new_ones_wait(
    api: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await api.owner("anna")
    assert (await anna.get("/jobs")).status_code == 200

    async def away(*_: object) -> None:
        raise StorageUnavailableError

    monkeypatch.setattr(Keys, "ring", away)
    impatient(api)
    for _ in range(3):
        assert (await anna.get("/jobs")).status_code == 200
    checked_of(api)._kept._ages = Ages(fresh=0.0, due=0.0, kept=0.0)
    answer = await anna.get("/jobs")
    assert_problem(answer, 503, "auth_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_database_without_its_table_is_an_answer_and_no_trace(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database) as api:
        anna = await api.owner("anna")
        async with database.writing() as session:
            await session.execute(text("DROP TABLE api_keys"))
        assert_problem(await anna.get(f"/jobs/{uuid4()}"), 503, "auth_unavailable")


async def test_a_server_that_starts_while_the_database_is_away_is_not_open(
    redis: Any, registry: JobRegistry, tmp_path: Path
) -> None:
    nowhere = Database(SqliteFile(tmp_path / "no" / "such" / "folder.db"))
    async with guarded(redis, registry, nowhere) as api:
        client = await api.client("ls_" + "x" * 43)
        assert_problem(await client.get("/jobs"), 503, "auth_unavailable")
        assert_problem(await (await api.client()).get("/jobs"), 401, "unauthorized")
    await nowhere.close()


async def test_the_last_use_is_noted_once_an_hour(api: Guarded, database: Database) -> None:
    anna = await api.owner("anna")
    impatient(api)

    async def noted() -> datetime | None:
        await anna.get("/jobs")
        return (await api.keys.list())[0].last_used_at

    first = await wait_until(noted)
    assert await noted() == first


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YW5uYTpwdw==",
        "ls_" + "x" * 43,
        "Bearer " + "x" * 20_000,
        "Bearer ls_" + "x" * 42,
        "Bearer lsj_",
        "Bearer lsj_a.b.c",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer \xff\xfe",
        "Bearer null",
    ],
    ids=lambda text: text[:30],
)
async def test_what_is_no_key_is_refused(api: Guarded, header: str) -> None:
    client = await api.client()
    for path in ("/jobs", f"/jobs/{uuid4()}"):
        answer = await client.get(path, headers={b"Authorization": header.encode("latin-1")})
        assert_problem(answer, 401, "unauthorized")
        assert len(answer.content) < 600


async def test_a_key_counts_whatever_the_case_of_its_scheme_and_not_when_there_are_two(api: Guarded) -> None:
    await api.owner("anna")
    key, client = api.made[0], await api.client()
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await client.get("/jobs", headers={"Authorization": f"{scheme}  {key} "})).status_code == 200
    twice = [("Authorization", f"Bearer {key}")] * 2
    assert_problem(await client.get("/jobs", headers=twice), 401, "unauthorized")
    flood = [("Authorization", f"Bearer {key}")] * 300
    assert_problem(await client.get(f"/jobs/{uuid4()}", headers=flood), 401, "unauthorized")


async def test_callers_are_told_who_they_are(api: Guarded) -> None:
    anna, admin = await api.owner("anna"), await api.owner("root", admin=True)
    assert (await anna.get("/me")).json() == {"owner": "anna", "admin": False}
    assert (await admin.get("/me")).json() == {"owner": "root", "admin": True}
    assert_problem(await (await api.client()).get("/me"), 401, "unauthorized")
