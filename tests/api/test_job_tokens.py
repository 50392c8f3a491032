"""The token of a job: reads or cancels that job, for a quarter of an hour, and opens nothing else."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from loresmith.api import create_app
from loresmith.api.configured import access_of
from loresmith.api.shared import SECRET_KEY, Shared
from loresmith.db import Database, Worlds
from loresmith.jobs import JobManager, JobRegistry, Worker
from loresmith.settings import load_settings
from tests.api.conftest import assert_problem, in_process
from tests.api.guarded import Client, Guarded, guarded, submitted_by
from tests.api.test_owners import operations


@pytest.fixture
async def api(redis: Any, registry: JobRegistry, database: Database) -> AsyncIterator[Guarded]:
    async with guarded(redis, registry, database) as api:
        yield api


async def token_of(client: Client, job_id: str, **body: Any) -> str:
    answer = await client.post(f"/jobs/{job_id}/tokens", json=body or None)
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


async def test_a_token_is_given_for_a_quarter_of_an_hour(api: Guarded) -> None:
    anna = await api.owner("anna")
    answer = await anna.post(f"/jobs/{await submitted_by(anna)}/tokens")
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert body["scope"] == "read"
    assert body["expires_at"].endswith("Z")
    lasts = datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14, seconds=50) < lasts <= timedelta(minutes=15)


async def test_a_read_token_reads_and_follows_its_job_and_does_nothing_else(api: Guarded) -> None:
    anna = await api.owner("anna")
    job_id = await submitted_by(anna)
    browser = await api.client(await token_of(anna, job_id))
    assert (await browser.get(f"/jobs/{job_id}")).status_code == 200
    for method, path in operations(api.app, job_id=job_id):
        if path in ("/healthz", "/readyz", f"/jobs/{job_id}/events") or (method, path) == ("GET", f"/jobs/{job_id}"):
            continue
        assert_problem(await browser.request(method, path, json={}), 403, "forbidden")
    assert (await anna.get(f"/jobs/{job_id}")).json()["state"] == "queued", "it was not cancelled"


async def test_a_cancel_token_reads_and_cancels(api: Guarded) -> None:
    anna = await api.owner("anna")
    job_id = await submitted_by(anna)
    browser = await api.client(await token_of(anna, job_id, scope="cancel"))
    assert (await browser.get(f"/jobs/{job_id}")).status_code == 200
    assert (await browser.post(f"/jobs/{job_id}/cancel")).json()["state"] == "cancelled"
    assert_problem(await browser.post(f"/jobs/{job_id}/retry"), 403, "forbidden")
    assert_problem(await browser.delete(f"/jobs/{job_id}"), 403, "forbidden")


async def test_on_another_job_it_finds_nothing_even_of_the_same_owner(api: Guarded) -> None:
    anna = await api.owner("anna")
    mine, other = await submitted_by(anna), await submitted_by(anna)
    browser = await api.client(await token_of(anna, mine, scope="cancel"))
    for method, path in operations(api.app, job_id=other):
        if other in path:
            assert_problem(await browser.request(method, path), 404, "job_not_found")
    assert_problem(await browser.get(f"/jobs/{other.upper()}"), 404, "job_not_found")
    assert (await browser.get(f"/jobs/{mine.upper()}")).json()["id"] == mine


async def test_in_an_address_it_is_taken_where_a_browser_needs_it_and_nowhere_else(
    api: Guarded, worker: Worker
) -> None:
    anna, nobody = await api.owner("anna"), await api.client()
    job_id = await submitted_by(anna)
    token = await token_of(anna, job_id, scope="cancel")
    assert (await nobody.get(f"/jobs/{job_id}?token={token}")).status_code == 200
    assert (await nobody.get(f"/jobs/{job_id}?token={token}&include=payload")).status_code == 200
    assert "event: done" in (await nobody.get(f"/jobs/{job_id}/events?token={token}")).text
    for method, path in (("POST", f"/jobs/{job_id}/cancel"), ("GET", "/jobs"), ("GET", "/stats")):
        assert_problem(await nobody.request(method, f"{path}?token={token}"), 401, "unauthorized")
    assert_problem(await nobody.get(f"/jobs/{job_id}?token={api.made[0]}"), 401, "unauthorized")
    assert_problem(await nobody.get(f"/jobs/{job_id}?token={token}&token={token}"), 401, "unauthorized")
    assert_problem(await nobody.get(f"/jobs/{job_id}?token="), 401, "unauthorized")


async def test_only_who_sees_a_job_gets_a_token_for_it(api: Guarded) -> None:
    anna, bob, admin = await api.owner("anna"), await api.owner("bob"), await api.owner("root", admin=True)
    job_id = await submitted_by(anna)
    assert_problem(await bob.post(f"/jobs/{job_id}/tokens"), 404, "job_not_found")
    assert_problem(await bob.post(f"/jobs/{uuid4()}/tokens"), 404, "job_not_found")
    assert (await (await api.client(await token_of(admin, job_id))).get(f"/jobs/{job_id}")).status_code == 200


@pytest.mark.parametrize("body", [{"scope": "all"}, {"scope": None}, {"scope": "read", "x": 1}, {"scope": ["read"]}])
async def test_a_token_that_would_allow_something_else_is_not_given(api: Guarded, body: dict[str, Any]) -> None:
    anna = await api.owner("anna")
    answer = await anna.post(f"/jobs/{await submitted_by(anna)}/tokens", json=body)
    assert_problem(answer, 400, "invalid_payload")


async def test_one_that_has_expired_was_changed_or_signed_by_another_opens_nothing(api: Guarded, redis: Any) -> None:
    anna = await api.owner("anna")
    job_id = await submitted_by(anna)
    good = await token_of(anna, job_id)
    secret = bytes(await redis.get(SECRET_KEY))
    claims: dict[str, Any] = {"aud": "loresmith-job", "sub": job_id, "acc": "x", "scope": "read"}
    now = int(time.time())

    def signed(key: bytes = secret, algorithm: str = "HS256", **changes: Any) -> str:
        return "lsj_" + jwt.encode({**claims, "exp": now + 60, **changes}, key, algorithm)

    async def opens(token: str) -> bool:
        return (await (await api.client(token)).get(f"/jobs/{job_id}")).status_code == 200

    assert await opens(signed())
    wrong = (
        signed(exp=now - 1),
        signed(aud="loresmith"),
        signed(key=b"x" * 64),
        signed(algorithm="HS512"),
        "lsj_" + jwt.encode({**claims, "exp": now + 60}, "", "none"),
        good[4:],
        good[:-3],
        good.replace("lsj_", "lsj_lsj_"),
        "lsj_" + jwt.encode(claims, secret, "HS256"),
    )
    assert [await opens(token) for token in wrong] == [False] * len(wrong)


async def test_all_processes_on_one_redis_know_a_token(
    redis: Any, registry: JobRegistry, database: Database, worlds: Worlds, manager: JobManager, api: Guarded
) -> None:
    anna = await api.owner("anna")
    job_id = await submitted_by(anna)
    token = await token_of(anna, job_id)
    other = access_of(load_settings(auth="keys"), database, redis)
    async with in_process(create_app(manager, worlds, access=other)) as client:
        assert (await client.get(f"/jobs/{job_id}?token={token}")).status_code == 200
    await other.close()


async def test_the_secret_is_one_lives_a_day_and_a_new_one_is_found(redis: Any, api: Guarded) -> None:
    shared = Shared(redis)
    assert await shared.secret() == await shared.secret()
    assert 86_000 < await redis.ttl(SECRET_KEY) <= 86_400
    anna = await api.owner("anna")
    job_id = await submitted_by(anna)
    before = await token_of(anna, job_id)
    await redis.delete(SECRET_KEY)
    secret = await shared.secret()
    claims = {"aud": "loresmith-job", "sub": job_id, "acc": "x", "scope": "read", "exp": int(time.time()) + 60}
    after = await api.client("lsj_" + jwt.encode(claims, secret, "HS256"))
    api.access.job_tokens.secret._loaded_at -= 10
    assert (await after.get(f"/jobs/{job_id}")).status_code == 200
    assert (await (await api.client(before)).get(f"/jobs/{job_id}")).status_code == 401


async def test_without_keys_tokens_are_given_too(redis: Any, registry: JobRegistry, database: Database) -> None:
    async with guarded(redis, registry, database, auth="none") as api:
        anyone = await api.client()
        job_id = await submitted_by(anyone)
        token = await token_of(anyone, job_id)
        assert (await anyone.get(f"/jobs/{job_id}?token={token}")).status_code == 200
