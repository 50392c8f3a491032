"""SQL: what must last. Saved worlds, the history of jobs, and API keys, on SQLite or PostgreSQL."""

from loresmith.db.database import Database
from loresmith.db.errors import (
    CursorError,
    DatabaseError,
    DatabaseSetupError,
    KeyNotFoundError,
    SchemaBehindError,
    StorageUnavailableError,
    WorldNotFoundError,
)
from loresmith.db.history import History, PastJob
from loresmith.db.keys import ADMIN, ApiKey, KeyRing, Keys, digest_of, is_owner, looks_like_key
from loresmith.db.location import Location, PostgresServer, SqliteFile, locate
from loresmith.db.world import NewWorld, Piece, Quest, World, WorldPage, WorldSummary
from loresmith.db.worlds import MOST_LISTED, Worlds

__all__ = [
    "ADMIN",
    "MOST_LISTED",
    "ApiKey",
    "CursorError",
    "Database",
    "DatabaseError",
    "DatabaseSetupError",
    "History",
    "KeyNotFoundError",
    "KeyRing",
    "Keys",
    "Location",
    "NewWorld",
    "PastJob",
    "Piece",
    "PostgresServer",
    "Quest",
    "SchemaBehindError",
    "SqliteFile",
    "StorageUnavailableError",
    "World",
    "WorldNotFoundError",
    "WorldPage",
    "WorldSummary",
    "Worlds",
    "digest_of",
    "is_owner",
    "locate",
    "looks_like_key",
]
