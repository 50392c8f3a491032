"""API keys: made once, stored as their hash, and read as a whole by those who check them."""

import hashlib
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import RowMapping, func, insert, or_, select, update

from loresmith.db.database import Database
from loresmith.db.errors import KeyNotFoundError
from loresmith.db.tables import KeyRow

ADMIN: Final = "admin"
"""The scope of those who may see and do everything."""
PREFIX: Final = "ls_"
MOST_OWNER_LENGTH: Final = 255
_SHOWN: Final = len(PREFIX) + 8
_SHAPE: Final = re.compile(r"ls_[A-Za-z0-9_-]{43}")
_COLUMNS: Final = (
    KeyRow.id,
    KeyRow.prefix,
    KeyRow.owner,
    KeyRow.scopes,
    KeyRow.created_at,
    KeyRow.expires_at,
    KeyRow.last_used_at,
    KeyRow.revoked_at,
)
_VERSION: Final = select(
    func.count(KeyRow.id), func.count(KeyRow.revoked_at), func.max(KeyRow.created_at), func.max(KeyRow.revoked_at)
)

Version = tuple[int, int, datetime | None, datetime | None]
"""Differs when keys were made, revoked or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key: not the key itself. `prefix` is its beginning, for people to tell keys apart."""

    id: str
    prefix: str
    owner: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys that are not revoked, by their digest, as they were at one moment."""

    version: Version
    keys: Mapping[str, ApiKey]


def is_owner(name: str) -> bool:
    """Tell whether a text can name an owner: what every store keeps as it is, and a log shows as it is."""
    return 0 < len(name) <= MOST_OWNER_LENGTH and name.isprintable()


def looks_like_key(text: str) -> bool:
    """Tell whether a text has the form of a key."""
    return _SHAPE.fullmatch(text) is not None


def digest_of(key: str) -> str:
    """Return the form in which a key is stored and found.

    A key has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow hash would
    protect, as with passwords (OWASP, Password Storage; RFC 6819, 5.1.4.2.2). Who presents keys does not choose the
    digests that are compared, so that the time of a lookup tells nothing.
    """
    return hashlib.sha256(key.encode()).hexdigest()


class Keys:
    """The keys of all owners. Every method raises StorageUnavailableError while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, owner: str, *, scopes: Sequence[str] = (), expires_at: datetime | None = None
    ) -> tuple[str, ApiKey]:
        """Make a key; returns it, which nobody can do later, and what is stored of it."""
        if not is_owner(owner):
            raise ValueError(f"owner {owner!r} is no name, expected 1 to {MOST_OWNER_LENGTH} printable characters")
        key = PREFIX + secrets.token_urlsafe(32)
        stored = ApiKey(
            id=str(uuid4()),
            prefix=key[:_SHOWN],
            owner=owner,
            scopes=tuple(scopes),
            created_at=datetime.now(UTC),
            expires_at=expires_at,
            last_used_at=None,
            revoked_at=None,
        )
        async with self._database.writing() as session:
            await session.execute(insert(KeyRow).values({**_values(stored), "digest": digest_of(key)}))
        return key, stored

    async def list(self) -> list[ApiKey]:
        """Return all keys that were ever made, in the order in which they were."""
        async with self._database.reading() as session:
            rows = await session.execute(select(*_COLUMNS).order_by(KeyRow.created_at, KeyRow.id))
            return [_key(row) for row in rows.mappings()]

    async def revoke(self, which: str) -> ApiKey:
        """Revoke the key with this id or prefix; harmless to repeat. Raises KeyNotFoundError, also for two of them."""
        async with self._database.writing() as session:
            named = or_(KeyRow.id == which, KeyRow.prefix == which) if _is_id(which) else KeyRow.prefix == which
            found = [_key(row) for row in (await session.execute(select(*_COLUMNS).where(named))).mappings()]
            if len(found) != 1:
                raise KeyNotFoundError(which, len(found))
            revoked_at = found[0].revoked_at or datetime.now(UTC)
            await session.execute(update(KeyRow).where(KeyRow.id == found[0].id).values(revoked_at=revoked_at))
            return replace(found[0], revoked_at=revoked_at)

    async def ring(self, known: KeyRing | None = None) -> KeyRing:
        """Return all keys that are not revoked: `known` itself while that is what it says, which costs one row."""
        async with self._database.reading() as session:
            counted = (await session.execute(_VERSION)).one()
            version: Version = (counted[0], counted[1], counted[2], counted[3])
            if known is not None and known.version == version:
                return known
            rows = await session.execute(select(*_COLUMNS, KeyRow.digest).where(KeyRow.revoked_at.is_(None)))
            return KeyRing(version, {row["digest"]: _key(row) for row in rows.mappings()})

    async def note_use(self, ids: Collection[str], moment: datetime) -> None:
        """Note that these keys were used."""
        async with self._database.writing() as session:
            await session.execute(update(KeyRow).where(KeyRow.id.in_(ids)).values(last_used_at=moment))


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


def _values(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "prefix": key.prefix,
        "owner": key.owner,
        "scopes": " ".join(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


def _key(row: RowMapping) -> ApiKey:
    found: dict[str, Any] = {column.key: row[column.key] for column in _COLUMNS}
    found["scopes"] = tuple(found["scopes"].split())
    return ApiKey(**found)
