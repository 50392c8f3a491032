"""A database that is away: said in time, and the save that follows saves once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loresmith.db import Database, Location, SqliteFile, StorageUnavailableError, Worlds, locate
from loresmith.db.schema import migrate
from tests.db.postgres import Postgres
from tests.db.samples import new_world
from tests.waiting import wait_until


@contextmanager
def locked(location: Location) -> Generator[None]:
    """Hold the one write lock of a SQLite file, as another program would."""
    assert isinstance(location, SqliteFile)
    with closing(sqlite3.connect(location.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
async def sqlite_database(tmp_path: Path) -> Database:
    location = locate(None, data_dir=tmp_path)
    await migrate(location)
    return Database(location)


@pytest.fixture
async def postgres_database(postgres_url: str, tmp_path: Path) -> Database:
    location = locate(postgres_url, data_dir=tmp_path)
    await migrate(location)
    return Database(location)


async def test_a_locked_file_is_waited_for_and_then_said(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.db.engine.STATEMENT_SECONDS", 0.3)
    database = Database(sqlite_database.location)
    worlds, new = Worlds(database), new_world()
    with locked(database.location):
        assert (await worlds.list(owner=None)).worlds == []
        with pytest.raises(StorageUnavailableError):
            await worlds.save(new)
    saved = await worlds.save(new)
    assert [one.id for one in (await worlds.list(owner=None)).worlds] == [saved.id]
    await database.close()


async def test_a_lock_that_ends_in_time_costs_nothing_but_time(sqlite_database: Database) -> None:
    with locked(sqlite_database.location):
        saving = asyncio.create_task(Worlds(sqlite_database).save(new_world()))
        await asyncio.wait([saving], timeout=0.3)
        assert not saving.done()
    assert (await saving).title == "The Long Night"
    await sqlite_database.close()


async def test_a_save_whose_connection_is_cut_is_said_and_the_next_one_saves_once(
    postgres_database: Database, postgres: Postgres, postgres_url: str
) -> None:
    worlds, new = Worlds(postgres_database), new_world()
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE worlds IN EXCLUSIVE MODE")
        saving = asyncio.create_task(worlds.save(new))
        await wait_until(lambda: postgres.disconnect(state="active"))
        with pytest.raises(StorageUnavailableError):
            await saving
    saved = await worlds.save(new)
    assert (await worlds.save(new)).id == saved.id
    assert len((await worlds.list(owner=None)).worlds) == 1
    await postgres_database.close()


async def test_connections_that_were_cut_while_idle_are_not_noticed(
    postgres_database: Database, postgres: Postgres
) -> None:
    worlds = Worlds(postgres_database)
    await asyncio.gather(*(worlds.save(new_world()) for _ in range(5)))
    assert postgres.disconnect(state="idle")
    assert len((await worlds.list(owner=None)).worlds) == 5
    await postgres_database.close()


async def test_a_server_that_is_stopped_is_said_and_found_again(
    postgres_database: Database, postgres: Postgres
) -> None:
    worlds, new = Worlds(postgres_database), new_world()
    await worlds.list(owner=None)
    await asyncio.to_thread(postgres.stop)
    try:
        for _ in range(2):
            with pytest.raises(StorageUnavailableError):
                await worlds.save(new)
        with pytest.raises(StorageUnavailableError):
            await postgres_database.ready()
    finally:
        await asyncio.to_thread(postgres.start)
    await postgres_database.ready()
    saved = await worlds.save(new)
    assert [one.id for one in (await worlds.list(owner=None)).worlds] == [saved.id]
    await postgres_database.close()


async def test_a_server_that_hangs_is_given_up_in_time(
    postgres_database: Database, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds, new = Worlds(postgres_database), new_world()
    await worlds.list(owner=None)
    monkeypatch.setattr("loresmith.db.database.LONGEST_SECONDS", 0.5)
    postgres.freeze()
    started = time.monotonic()
    try:
        for work in (worlds.save(new), worlds.list(owner=None), postgres_database.ready()):
            with pytest.raises(StorageUnavailableError):
                await work
    finally:
        postgres.freeze(thaw=True)
    assert time.monotonic() - started < 4
    monkeypatch.undo()
    saved = await worlds.save(new)
    assert [one.id for one in (await worlds.list(owner=None)).worlds] == [saved.id]
    await postgres_database.close()


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(postgres_database: Database) -> None:
    async def sleep() -> None:
        async with postgres_database.reading() as session:
            await session.execute(text("SET LOCAL statement_timeout = 50"))
            await session.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(StorageUnavailableError):
        await sleep()
    async with postgres_database.reading() as session:
        assert await session.scalar(text("SHOW statement_timeout")) == "5s"
    await postgres_database.close()


async def test_a_wrong_statement_is_a_bug_and_not_an_outage(database: Database) -> None:
    async def ask() -> None:
        async with database.reading() as session:
            await session.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(DBAPIError):
        await ask()


def test_a_missing_file_is_said_and_leaves_no_thread_behind(tmp_path: Path) -> None:
    """A thread that spoke to a loop that was closed already ended with a trace on standard error."""

    async def ask() -> None:
        database = Database(SqliteFile(tmp_path / "nowhere" / "x.sqlite3"))
        with pytest.raises(StorageUnavailableError):
            await database.ready()
        await database.close()

    for _ in range(20):
        before = set(threading.enumerate())
        asyncio.run(ask())
        assert set(threading.enumerate()) <= before
