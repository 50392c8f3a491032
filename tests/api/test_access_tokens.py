"""Access tokens: what is the issuer's for this service opens, in its time and with its algorithm; nothing else does."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from loresmith.api.access_tokens import AccessTokens
from loresmith.api.guard import KeyGuard
from loresmith.api.key_set import KeySet
from loresmith.api.refreshed import Ages
from loresmith.db import Database
from loresmith.jobs import JobRegistry
from tests.api.conftest import assert_problem
from tests.api.guarded import Guarded, guarded, submitted_by
from tests.api.signing import AUDIENCE, ISSUER, SECRET, SETTINGS, Provider, claims, provider, token


@pytest.fixture
async def api(redis: Any, registry: JobRegistry, database: Database) -> AsyncIterator[Guarded]:
    """With a secret."""
    async with guarded(redis, registry, database, **SETTINGS, jwt_secret=SECRET) as api:
        yield api


@pytest.fixture
async def signer() -> AsyncIterator[Provider]:
    async with provider() as signer:
        yield signer


@pytest.fixture
async def keyed(redis: Any, registry: JobRegistry, database: Database, signer: Provider) -> AsyncIterator[Guarded]:
    """With the keys of a provider."""
    async with guarded(redis, registry, database, **SETTINGS, jwt_jwks_url=signer.url) as api:
        yield api


async def status_of(api: Guarded, bearer: str) -> int:
    answer = await (await api.client(bearer)).get("/jobs")
    if answer.status_code >= 400:
        assert_problem(answer, 401, "unauthorized")
    return answer.status_code


async def test_the_subject_is_the_owner_and_a_scope_makes_an_admin(api: Guarded) -> None:
    anna, bob = await api.client(token()), await api.client(token(sub="bob"))
    job_id = await submitted_by(anna)
    assert (await bob.get(f"/jobs/{job_id}")).status_code == 404
    for scope in ("read admin write", ["admin"]):
        admin = await api.client(token(sub="root", scope=scope))
        assert (await admin.get(f"/jobs/{job_id}")).status_code == 200
    for scope in ("administrator", "Admin", {"admin": True}, ["adm"], 7):
        other = await api.client(token(sub="carl", scope=scope))
        assert (await other.get(f"/jobs/{job_id}")).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": ISSUER + "/"},
        {"aud": "another"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\0b"},
        {"sub": "\ud800"},
        {"sub": "x" * 300},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 2**33},
        {"iat": 2**33},
        {"exp": 2**70, "nbf": 2**70},
    ],
    ids=str,
)
async def test_a_token_with_other_claims_opens_nothing(api: Guarded, changes: dict[str, Any]) -> None:
    assert await status_of(api, token(**changes)) == 401


async def test_several_audiences_may_be_named(api: Guarded) -> None:
    assert await status_of(api, token(aud=["another", AUDIENCE])) == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"exp": -20}, 200), ({"exp": -40}, 401), ({"nbf": 20}, 200), ({"nbf": 40}, 401), ({"iat": 20}, 200)],
    ids=str,
)
async def test_clocks_may_be_half_a_minute_apart_and_no_more(
    api: Guarded, changes: dict[str, int], status: int
) -> None:
    now = int(time.time())
    moments: dict[str, Any] = {name: now + seconds for name, seconds in changes.items()}
    assert await status_of(api, token(**moments)) == status


async def test_a_token_that_was_good_ends_all_the_same(api: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    one = token(exp=int(time.time()) - 25)
    assert await status_of(api, one) == 200
    later = time.monotonic() + 6
    monkeypatch.setattr("loresmith.api.access_tokens.time.monotonic", lambda: later)
    now = time.time() + 6
    monkeypatch.setattr("loresmith.api.access_tokens.time.time", lambda: now)
    assert isinstance(api.access.guard, KeyGuard)
    checked = api.access.guard._access_tokens
    assert isinstance(checked, AccessTokens)
    assert all(until <= later for _, until in checked._known.values()), "it is checked again"


async def test_a_token_that_is_not_signed_or_with_another_secret_opens_nothing(api: Guarded) -> None:
    unsigned = jwt.encode(claims(), "", algorithm="none")
    assert await status_of(api, unsigned) == 401
    for word in ("none", "None", "NONE", "nOnE", "", None, 7, ["HS256"]):
        assert await status_of(api, forged({"alg": word, "typ": "JWT"})) == 401
    assert await status_of(api, token(f"another {SECRET}")) == 401
    assert await status_of(api, token(algorithm="HS512")) == 401
    good = token()
    assert await status_of(api, good[:-2] + ("AA" if good[-2:] != "AA" else "BB")) == 401
    assert await status_of(api, good + ".x") == 401
    assert await status_of(api, good.rpartition(".")[0] + ".") == 401


def forged(header: dict[str, Any]) -> str:
    parts = [json.dumps(part).encode() for part in (header, claims(sub="root", scope="admin"))]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize("junk", ["a.b.c", "....", "e30.e30.e30", "x" * 9000, "[" * 3000, forged({"alg": "HS256"})])
async def test_what_is_no_token_opens_nothing(api: Guarded, junk: str) -> None:
    assert await status_of(api, junk) == 401


async def test_a_reason_is_told_where_it_helps_and_the_token_is_not(api: Guarded) -> None:
    old = token(exp=1)
    problem = (await (await api.client(old)).get("/jobs")).json()
    assert problem["detail"] == "the token has expired"
    assert old not in str(problem)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_keys_of_the_provider_verify_what_it_signs(keyed: Guarded, signer: Provider, algorithm: str) -> None:
    key, other = signer.add("one", algorithm), Provider().add("one", algorithm)
    assert await status_of(keyed, token(key, algorithm, "one")) == 200
    assert await status_of(keyed, token(key, algorithm)) == 200, "there is one key"
    assert await status_of(keyed, token(other, algorithm, "one")) == 401
    assert signer.fetched == 1


async def test_the_token_has_no_say_in_the_algorithm(keyed: Guarded, signer: Provider) -> None:
    """RFC 8725, 2.1: a public key taken for the secret of an HMAC."""
    key = signer.add("one", "RS256")
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.PEM, shape)
    signer.more = [{"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "two", "alg": "HS256"}, {"kty": "?"}, 7]
    head = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (head, claims())]
    mac = hmac.new(public, b".".join(parts), hashlib.sha256).digest()
    confused = b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()
    assert await status_of(keyed, confused) == 401
    assert await status_of(keyed, token(base64.b64decode("c2VjcmV0" * 8), "HS256", "two")) == 401
    assert await status_of(keyed, token(key, "RS512", "one")) == 401
    assert await status_of(keyed, token(key, "RS256", "one")) == 200


async def test_a_new_key_of_the_provider_is_found_and_unknown_ones_do_not_flood_it(
    keyed: Guarded, signer: Provider
) -> None:
    key = signer.add("one", "ES256")
    assert await status_of(keyed, token(key, "ES256", "one")) == 200
    new = signer.add("two", "ES256")
    assert await status_of(keyed, token(new, "ES256", "two")) == 401, "the set was fetched a moment ago"
    for number in range(30):
        assert await status_of(keyed, token(new, "ES256", f"x{number}")) == 401
    assert signer.fetched == 1
    key_set_of(keyed)._kept._ages = Ages(fresh=300, due=900, kept=86_400, missed=0.0)
    assert await status_of(keyed, token(new, "ES256", "two")) == 200
    assert signer.fetched == 2


def key_set_of(api: Guarded) -> KeySet:
    assert isinstance(api.access.guard, KeyGuard)
    checked = api.access.guard._access_tokens
    assert checked is not None
    assert isinstance(checked._keys, KeySet)
    return checked._keys


async def test_a_provider_that_is_away_is_survived_with_the_keys_that_are_known(
    keyed: Guarded, signer: Provider
) -> None:
    key, signer.broken = signer.add("one", "ES256"), True
    first = await keyed.client(token(key, "ES256", "one"))
    answer = await first.get("/jobs")
    assert_problem(answer, 503, "auth_unavailable")
    assert signer.url not in answer.text
    signer.broken = False
    key_set_of(keyed)._kept._tried_at = float("-inf")
    assert (await first.get("/jobs")).status_code == 200
    signer.broken = True
    key_set_of(keyed)._kept._ages = Ages(fresh=0, due=0, kept=300)
    others = await asyncio.gather(*(status_of(keyed, token(key, "ES256", "one", sub=f"u{n}")) for n in range(20)))
    assert set(others) == {200}
    assert signer.fetched <= 4


async def test_keys_and_tokens_may_both_be_taken_and_a_name_is_one_owner(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    settings = {**SETTINGS, "auth": "keys,jwt", "jwt_secret": SECRET}
    async with guarded(redis, registry, database, **settings) as api:
        by_key, by_token = await api.owner("anna"), await api.client(token())
        job_id = await submitted_by(by_key)
        assert (await by_token.get(f"/jobs/{job_id}")).status_code == 200
        assert (await (await api.client(token(sub="bob"))).get(f"/jobs/{job_id}")).status_code == 404
