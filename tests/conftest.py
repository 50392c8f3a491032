"""A real Valkey and a real PostgreSQL for all tests, empty for each, and the rule that no key lives for ever."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from hypothesis import settings

from loresmith.bootstrap import connect
from loresmith.db import SqliteFile
from loresmith.db.schema import migrate
from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.redis import EmbeddedRedis
from tests.db.postgres import Postgres
from tests.loaded import Loaded

_numbers = count(1)


def pytest_configure() -> None:
    """Configure what tests share.

    Exceptions are logged in few words: with all local variables, as structlog does it, takes seconds. Examples of
    Hypothesis have no deadline of their own: machines are shared.
    """
    settings.register_profile("shared-machine", deadline=None)
    settings.load_profile("shared-machine")
    *others, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, plain])


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo what a test configures: a later test must not write to the standard error that pytest took away."""
    before, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**before)
    logging.root.handlers[:], logging.root.level = handlers, level


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a server that lives as long as the tests do."""
    data_dir = DataDir(tmp_path_factory.mktemp("redis"))
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    yield server.url
    await server.stop()
    data_dir.close()


@pytest.fixture
async def redis_url(redis_server: str) -> AsyncIterator[str]:
    """The address of an empty Redis; afterwards every key in it must have a lifetime."""
    client: Any
    async with connect(redis_server) as client:
        await client.flushall()
        yield redis_server
        immortal = await keys_without_lifetime(client)
        await client.flushall()
    assert immortal == [], f"keys without a TTL: {immortal}"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Any]:
    """A client of that Redis; replies are bytes."""
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
def short_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose path leaves room for a socket."""
    return tmp_path_factory.mktemp("d")


@pytest.fixture(scope="session")
def loaded() -> Iterator[Loaded]:
    """A process that runs commands without loading LoreSmith each time."""
    process = Loaded()
    yield process
    process.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables and no rows: to be copied, which takes no time, as a migration does."""
    location = SqliteFile(tmp_path_factory.mktemp("tables") / "tables.sqlite3")
    await migrate(location)
    assert [path.name for path in location.path.parent.iterdir()] == [location.path.name]
    return location.path


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


async def keys_without_lifetime(client: Any) -> list[str]:
    """Keys that would stay for ever, but for streams and the indexes of queues, which may."""
    immortal: list[str] = []
    async for key in client.scan_iter(count=1000):
        name = bytes(key).decode()
        if await client.ttl(name) == -1 and not name.startswith("queue:{"):
            immortal.append(name)
    return sorted(immortal)
