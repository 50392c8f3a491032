"""API keys: stored as a hash, shown once, revoked for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from loresmith.db import ADMIN, Database, KeyNotFoundError, Keys, digest_of, looks_like_key


@pytest.fixture
def keys(database: Database) -> Keys:
    return Keys(database)


async def test_a_key_is_shown_once_and_stored_as_its_hash(keys: Keys, database: Database) -> None:
    key, made = await keys.create("anna", scopes=[ADMIN])
    assert looks_like_key(key)
    assert key.startswith(made.prefix)
    assert len(made.prefix) == 11
    async with database.reading() as session:
        [row] = (await session.execute(text("SELECT * FROM api_keys"))).mappings().all()
    assert key not in str(dict(row))
    assert key[11:] not in str(dict(row))
    assert row["digest"] == digest_of(key)
    [listed] = await keys.list()
    assert listed == made
    assert (listed.owner, listed.scopes, listed.last_used_at) == ("anna", (ADMIN,), None)


async def test_two_keys_of_one_owner_are_told_apart_and_revoked_one_by_one(keys: Keys) -> None:
    (_, first), (other, second) = await keys.create("anna"), await keys.create("anna")
    revoked = await keys.revoke(first.prefix)
    assert revoked.id == first.id
    assert not revoked.is_live(datetime.now(UTC))
    assert await keys.revoke(first.id) == revoked, "repeating it changes nothing"
    assert set((await keys.ring()).keys) == {digest_of(other)}
    assert (await keys.revoke(second.id)).revoked_at is not None
    assert (await keys.ring()).keys == {}


@pytest.mark.parametrize("which", ["", "ls_", "ls_nobody00", "x" * 500, "' OR 1=1 --"])
async def test_a_key_that_nobody_made_cannot_be_revoked(keys: Keys, which: str) -> None:
    await keys.create("anna")
    with pytest.raises(KeyNotFoundError, match="no API key is named"):
        await keys.revoke(which)


async def test_a_ring_is_read_again_only_when_keys_were_made_or_revoked(keys: Keys) -> None:
    empty = await keys.ring()
    assert await keys.ring(empty) is empty
    _, made = await keys.create("anna")
    one = await keys.ring(empty)
    assert [key.owner for key in one.keys.values()] == ["anna"]
    await keys.note_use([made.id], datetime.now(UTC))
    assert await keys.ring(one) is one
    await keys.revoke(made.id)
    assert (await keys.ring(one)).keys == {}


async def test_a_key_lives_until_it_expires(keys: Keys) -> None:
    now = datetime.now(UTC)
    _, made = await keys.create("anna", expires_at=now + timedelta(seconds=10))
    assert made.is_live(now)
    assert not made.is_live(now + timedelta(seconds=10))
    assert (await keys.list())[0].expires_at == made.expires_at


async def test_the_use_of_a_key_is_noted(keys: Keys) -> None:
    _, made = await keys.create("anna")
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    await keys.note_use([made.id], moment)
    assert (await keys.list())[0].last_used_at == moment


@pytest.mark.parametrize("owner", ["", "a\0b", "a\nb", "\ud800", "x" * 256])
async def test_an_owner_that_a_store_would_change_is_refused(keys: Keys, owner: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        await keys.create(owner)
