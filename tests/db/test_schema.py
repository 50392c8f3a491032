"""The schema: made from nothing, the same as the tables in the code, and safe to migrate from two processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from loresmith.db import (
    Database,
    DatabaseSetupError,
    Location,
    PostgresServer,
    SchemaBehindError,
    SqliteFile,
    StorageUnavailableError,
    locate,
)
from loresmith.db.engine import create_engine, create_migration_engine
from loresmith.db.schema import LOCK, Migrated, check, migrate
from loresmith.db.tables import Table
from tests.db.migrating import migrate_at_once
from tests.db.postgres import Postgres

HEAD = "0002"


async def test_a_schema_is_made_from_nothing_and_then_left_alone(location: Location) -> None:
    done = await migrate(location)
    assert (done.before, done.after) == (None, HEAD)
    assert done.steps == ["0001 worlds, lore pieces and job history", "0002 API keys"]
    assert await migrate(location) == Migrated(HEAD, HEAD)
    await check(location)


async def test_the_migrations_make_what_the_code_says(location: Location) -> None:
    await migrate(location)
    engine = create_migration_engine(location)

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, Table.metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        names = await connection.run_sync(lambda found: inspect(found).get_table_names())
    assert set(names) == {*Table.metadata.tables, "alembic_version"}
    await engine.dispose()


async def test_a_schema_that_is_behind_is_refused_with_what_to_do(location: Location) -> None:
    with pytest.raises(SchemaBehindError) as caught:
        await check(location)
    assert str(caught.value) == f"database {location.place!r} has no tables yet: run `loresmith migrate`"
    await migrate(location)
    await _set_schema(location, None)
    with pytest.raises(SchemaBehindError):
        await check(location)


async def test_a_schema_of_a_newer_program_is_left_alone(location: Location) -> None:
    await migrate(location)
    await _set_schema(location, "9999")
    assert await migrate(location) == Migrated("9999", "9999", newer=True)
    await check(location)


async def test_a_migration_that_fails_leaves_nothing_behind(location: Location) -> None:
    engine = create_migration_engine(location)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE job_history (x INTEGER)"))
    with pytest.raises(DatabaseSetupError, match=r"job_history.*already exists"):
        await migrate(location)
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda found: inspect(found).get_table_names()) == ["job_history"]
    await engine.dispose()


async def _set_schema(location: Location, revision: str | None) -> None:
    engine = create_migration_engine(location)
    async with engine.begin() as connection:
        change = "UPDATE alembic_version SET version_num = :to" if revision else "DELETE FROM alembic_version"
        await connection.execute(text(change), {"to": revision} if revision else {})
    await engine.dispose()


async def test_of_many_processes_that_migrate_at_once_one_does_it(location: Location) -> None:
    spawning = multiprocessing.get_context("forkserver")
    spawning.set_forkserver_preload(["tests.db.migrating"])
    starts, found = spawning.Barrier(3), spawning.Queue()
    processes = [spawning.Process(target=migrate_at_once, args=(location, starts, found)) for _ in range(3)]
    for process in processes:
        process.start()
    done = [await asyncio.to_thread(found.get, timeout=40) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(len(one.steps) for one in done) == [0, 0, 2]
    assert {one.after for one in done} == {HEAD}


async def test_a_second_migration_waits_for_the_first_and_says_so(postgres_url: str, tmp_path: Path) -> None:
    location, waits = locate(postgres_url, data_dir=tmp_path), asyncio.Event()
    first = create_migration_engine(location)
    async with first.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        second = asyncio.create_task(migrate(location, waits=waits.set))
        await waits.wait()
        assert not second.done()
    assert (await second).after == HEAD
    await first.dispose()


async def test_a_sqlite_database_is_written_ahead_and_checks_foreign_keys(tmp_path: Path) -> None:
    location = locate(None, data_dir=tmp_path)
    await migrate(location)
    engine = create_engine(location)
    async with engine.connect() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        ]
    assert found == ["wal", 1, 2, 5000]
    await engine.dispose()


async def test_a_server_that_hangs_is_refused_in_time(
    postgres_url: str, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = locate(postgres_url, data_dir=tmp_path)
    monkeypatch.setattr("loresmith.db.schema.LONGEST_SECONDS", 0.3)
    postgres.freeze()
    try:
        with pytest.raises(DatabaseSetupError, match=r"cannot be used \(it does not answer\)"):
            await check(location)
    finally:
        postgres.freeze(thaw=True)


def test_a_missing_driver_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseSetupError, match=r"pip install 'loresmith\[postgres\]'"):
        locate("postgresql://h/x", data_dir=tmp_path)


async def test_a_database_that_lost_its_tables_is_not_ready(database: Database) -> None:
    await database.ready()
    async with database.writing() as session:
        await session.execute(text("DROP TABLE lore_pieces"))
        await session.execute(text("DROP TABLE worlds"))
    with pytest.raises(StorageUnavailableError):
        await database.ready()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "loresmith.sqlite3").write_text("Dear diary, " * 100)
    location = locate(None, data_dir=tmp_path)
    with pytest.raises(DatabaseSetupError) as caught:
        await migrate(location)
    assert str(caught.value) == (
        f"database {location.place!r} cannot be used (file is not a database): see LORESMITH_DATABASE_URL"
    )


async def test_a_server_that_refuses_is_named_without_its_password(postgres_url: str, tmp_path: Path) -> None:
    location = locate(postgres_url.replace("tester@", "nobody:hush@"), data_dir=tmp_path)
    with pytest.raises(DatabaseSetupError, match='role "nobody" does not exist') as caught:
        await check(location)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush" not in repr(location)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://anna:hush@db.example:6000/lore", "postgresql://db.example:6000/lore"),
        ("postgresql://anna:hush@db.example/lore?sslmode=require", "postgresql://db.example:5432/lore"),
        ("postgres://a,b:6000/lore", "postgresql://a:5432,b:6000/lore"),
        ("postgresql:///lore?host=/run/postgresql", "postgresql:///run/postgresql:5432/lore"),
    ],
)
def test_a_postgresql_is_told_by_the_url_of_libpq(url: str, place: str, tmp_path: Path) -> None:
    location = locate(url, data_dir=tmp_path)
    assert isinstance(location, PostgresServer)
    assert location.place == place
    assert location.parameters["connect_timeout"] == "5"


def test_a_part_of_a_url_that_is_not_understood_is_refused_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseSetupError) as caught:
        locate("postgresql://anna:hush@db/lore?sslmod=require", data_dir=tmp_path)
    assert "hush" not in str(caught.value)
    assert "LORESMITH_DATABASE_URL" in str(caught.value)


def test_a_sqlite_file_is_told_by_its_path(tmp_path: Path) -> None:
    assert locate("sqlite:////srv/a%20b.db", data_dir=tmp_path) == SqliteFile(Path("/srv/a b.db"))
    assert locate("sqlite:///x.db", data_dir=tmp_path) == SqliteFile(Path.cwd() / "x.db")
    assert locate(None, data_dir=tmp_path) == SqliteFile(tmp_path / "loresmith.sqlite3")


async def test_the_connections_of_a_database_are_closed_with_it(database: Database) -> None:
    await database.ready()
    await database.close()
    await database.ready()
    await database.close()
