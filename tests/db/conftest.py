"""A database for each test: a SQLite file, and one on a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loresmith.db import Database, Location, SqliteFile, Worlds, locate
from loresmith.db.schema import migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where a database is that has no tables yet; each test runs with both kinds."""
    if request.param == "sqlite":
        return locate(None, data_dir=tmp_path)
    return locate(request.getfixturevalue("postgres_url"), data_dir=tmp_path)


@pytest.fixture
async def database(location: Location, sqlite_tables: Path) -> AsyncIterator[Database]:
    """A database with its tables."""
    if isinstance(location, SqliteFile):
        shutil.copy(sqlite_tables, location.path)
    else:
        await migrate(location)
    database = Database(location)
    yield database
    await database.close()


@pytest.fixture
def worlds(database: Database) -> Worlds:
    return Worlds(database)
