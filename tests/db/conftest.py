"""A database for each test: a SQLite file, and one on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from loresmith.db import Database, Location, Worlds, locate
from loresmith.db.schema import migrate
from tests.db.postgres import Postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server that lives as long as the tests do; a test that stops it starts it again."""
    server = Postgres()
    server.start()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database on PostgreSQL."""
    name = f"test_{next(_numbers)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """Where a database is that has no tables yet; each test runs with both kinds."""
    if request.param == "sqlite":
        return locate(None, data_dir=tmp_path)
    return locate(request.getfixturevalue("postgres_url"), data_dir=tmp_path)


@pytest.fixture
async def database(location: Location) -> AsyncIterator[Database]:
    """A database with its tables."""
    await migrate(location)
    database = Database(location)
    yield database
    await database.close()


@pytest.fixture
def worlds(database: Database) -> Worlds:
    return Worlds(database)
