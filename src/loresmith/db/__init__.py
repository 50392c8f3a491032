"""SQL: what must last. Saved worlds and the history of jobs, on SQLite or PostgreSQL."""

from loresmith.db.database import Database
from loresmith.db.errors import (
    CursorError,
    DatabaseError,
    DatabaseSetupError,
    SchemaBehindError,
    StorageUnavailableError,
    WorldNotFoundError,
)
from loresmith.db.history import History, PastJob
from loresmith.db.location import Location, PostgresServer, SqliteFile, locate
from loresmith.db.world import NewWorld, Piece, Quest, World, WorldPage, WorldSummary
from loresmith.db.worlds import MOST_LISTED, Worlds

__all__ = [
    "MOST_LISTED",
    "CursorError",
    "Database",
    "DatabaseError",
    "DatabaseSetupError",
    "History",
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
    "locate",
]
