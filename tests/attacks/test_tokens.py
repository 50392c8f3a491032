"""Attacks with keys and tokens: odd claims of a signed token, and credentials that end while an answer is open."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loresmith.api.access_tokens import AccessTokens, Claims, RefusedError, SharedSecret
from loresmith.api.guard import KeyGuard
from loresmith.api.job_tokens import PREFIX, JobTokens, secret_kept
from loresmith.api.refreshed import Ages, AwayError
from loresmith.db import ADMIN, Database
from loresmith.jobs import JobRegistry
from tests.api.conftest import assert_problem
from tests.api.guarded import Guarded, guarded, submitted_by
from tests.api.signing import AUDIENCE, ISSUER, SECRET, SETTINGS, claims, token
from tests.waiting import wait_until

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["exp", "nbf", "iat", "sub", "iss", "aud", "scope", "jti", "acc"])
HEADER_NAMES = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "x5c"])
CHECKED = AccessTokens(SharedSecret(SECRET), Claims(ISSUER, AUDIENCE))


def signed(claimed: dict[str, Any], header: dict[str, Any], secret: str | bytes = SECRET) -> str:
    """Return a token with a good signature, whatever is in it."""
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", **header}, claimed)]
    key = secret.encode() if isinstance(secret, str) else secret
    return b".".join([*parts, _base64(hmac.digest(key, b".".join(parts), "sha256"))]).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@settings(max_examples=300, deadline=None)
@given(changes=st.dictionaries(NAMES, JSON_VALUES), header=st.dictionaries(HEADER_NAMES, JSON_VALUES, max_size=2))
def test_a_signed_token_of_any_claims_is_taken_or_refused(changes: dict[str, Any], header: dict[str, Any]) -> None:
    """A caller is only who has a name and a time that is not over; everything else is refused, and nothing raised."""
    now = time.time()
    try:
        caller = asyncio.run(CHECKED.caller(signed({**claims(), **changes}, header)))
    except RefusedError:
        return
    assert caller.owner == {**claims(), **changes}["sub"]
    assert caller.expires_at > now


@settings(max_examples=200, deadline=None)
@given(changes=st.dictionaries(NAMES, JSON_VALUES), header=st.dictionaries(HEADER_NAMES, JSON_VALUES, max_size=2))
def test_the_token_of_a_job_with_odd_claims_opens_nothing(changes: dict[str, Any], header: dict[str, Any]) -> None:
    async def load() -> bytes:
        return b"a secret that signs the tokens of jobs"

    good = {"aud": "another", "sub": "1", "acc": "2", "scope": "read", "exp": time.time() + 60}
    odd = PREFIX + signed({**good, **changes}, header, b"a secret that signs the tokens of jobs")
    assert asyncio.run(JobTokens(secret_kept(load)).caller(odd)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": "99999999999"},
        {"exp": 10**400},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": [1]},
        {"exp": True},
        {"nbf": "0"},
        {"iat": {}},
        {"sub": ["anna"]},
        {"iss": [ISSUER]},
        {"aud": {AUDIENCE: True}},
    ],
    ids=str,
)
async def test_a_claim_of_another_type_is_401(
    redis: Any, registry: JobRegistry, database: Database, changes: dict[str, Any]
) -> None:
    async with guarded(redis, registry, database, **SETTINGS, jwt_secret=SECRET) as api:
        attacker = await api.client(signed({**claims(), **changes}, {}))
        assert_problem(await attacker.get("/me"), 401, "unauthorized")


@pytest.fixture
async def api(
    redis: Any, registry: JobRegistry, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Guarded]:
    """With keys and tokens, which are checked again and again while an answer is open."""
    monkeypatch.setattr("loresmith.api.credential.CHECK_SECONDS", 0.05)
    chosen = {**SETTINGS, "auth": "keys,jwt", "jwt_secret": SECRET, "jwt_leeway_seconds": 0}
    async with guarded(redis, registry, database, **chosen) as api:
        assert isinstance(api.access.guard, KeyGuard)
        assert api.access.guard._keys is not None
        api.access.guard._keys._kept._ages = Ages(fresh=0.0, due=0.0, kept=300.0)
        yield api


async def revoke(api: Guarded, owner: str) -> None:
    for key in await api.keys.list():
        if key.owner == owner:
            await api.keys.revoke(key.id)


async def opened(api: Guarded, answering: Awaitable[Any]) -> asyncio.Future[Any]:
    """Return an answer that is held open, once the server follows the job for it."""
    before = followed(api)
    held = asyncio.ensure_future(answering)
    await wait_until(lambda: followed(api) > before)
    return held


def followed(api: Guarded) -> int:
    return len(list(api.manager._events._all()))


def soon(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let checks of open answers see a clock that is so many seconds ahead."""
    now = time.time
    monkeypatch.setattr(
        "loresmith.api.credential.time", SimpleNamespace(time=lambda: now() + seconds, monotonic=time.monotonic)
    )


async def test_a_stream_ends_when_its_key_is_revoked(api: Guarded) -> None:
    anna = await api.owner("anna")
    stream = await opened(api, anna.get(f"/jobs/{await submitted_by(anna)}/events"))
    await revoke(api, "anna")
    answer = await stream
    assert answer.status_code == 200
    assert answer.text.endswith('event: closed\ndata: {"reason":"revoked"}\n\n')
    assert_problem(await anna.get("/me"), 401, "unauthorized")


async def test_a_stream_of_another_owner_goes_on(api: Guarded) -> None:
    anna, bob = await api.owner("anna"), await api.owner("bob")
    job_id = await submitted_by(bob)
    stream = await opened(api, bob.get(f"/jobs/{job_id}/events"))
    closing = await opened(api, anna.get(f"/jobs/{await submitted_by(anna)}/events"))
    await revoke(api, "anna")
    await closing
    await bob.post(f"/jobs/{job_id}/cancel")
    answer = await stream
    assert "event: done" in answer.text
    assert "closed" not in answer.text


async def test_a_stream_ends_when_its_access_token_expires(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await api.client(token())
    stream = await opened(api, anna.get(f"/jobs/{await submitted_by(anna)}/events"))
    soon(monkeypatch, 601)
    assert (await stream).text.endswith('event: closed\ndata: {"reason":"expired"}\n\n')


async def test_a_busy_stream_ends_at_the_expiry_too(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that never falls silent brings no heartbeat: the check does not wait for one."""
    monkeypatch.setattr("loresmith.api.event_stream.HEARTBEAT_SECONDS", 3600.0)
    monkeypatch.setattr("loresmith.api.credential.CHECK_SECONDS", 3600.0)
    anna = await api.client(token())
    soon(monkeypatch, 599.5)
    answer = await anna.get(f"/jobs/{await submitted_by(anna)}/events")
    assert answer.text.endswith('event: closed\ndata: {"reason":"expired"}\n\n')


async def test_a_stream_ends_when_the_token_of_its_job_expires(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await api.owner("anna")
    job_id = await submitted_by(anna)
    shown = (await anna.post(f"/jobs/{job_id}/tokens")).json()["token"]
    stream = await opened(api, (await api.client()).get(f"/jobs/{job_id}/events?token={shown}"))
    soon(monkeypatch, 16 * 60)
    assert (await stream).text.endswith('event: closed\ndata: {"reason":"expired"}\n\n')


async def test_a_stream_of_an_admin_ends_when_the_key_is_one_no_more(
    api: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, bob = await api.owner("root", admin=True), await api.owner("bob")
    stream = await opened(api, root.get(f"/jobs/{await submitted_by(bob)}/events"))
    monkeypatch.setattr("loresmith.api.api_keys.ADMIN", f"not {ADMIN}")
    assert (await stream).text.endswith('event: closed\ndata: {"reason":"changed"}\n\n')


async def test_a_held_answer_becomes_401_when_its_key_is_revoked(api: Guarded) -> None:
    anna = await api.owner("anna")
    first = await anna.get(f"/jobs/{await submitted_by(anna)}")
    tag = first.headers["etag"]
    waiting = {"If-None-Match": tag, "Prefer": "wait=60"}
    held = await opened(api, anna.get(f"/jobs/{first.json()['id']}", headers=waiting))
    body: dict[str, Any] = {"type": "play", "payload": {}}
    submitting = await opened(api, anna.post("/jobs", json=body, headers={"Prefer": "wait=60"}))
    await revoke(api, "anna")
    for answer in (await held, await submitting):
        assert_problem(answer, 401, "unauthorized")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_stream_just_ends_when_its_key_cannot_be_checked(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no news of the key; the client comes back and gets the 503 that everybody gets."""

    async def away(*_: object) -> None:
        raise AwayError("API keys")

    anna = await api.owner("anna")
    stream = await opened(api, anna.get(f"/jobs/{await submitted_by(anna)}/events"))
    monkeypatch.setattr(api.access.guard, "identify", away)
    answer = await stream
    assert answer.status_code == 200
    assert "closed" not in answer.text
