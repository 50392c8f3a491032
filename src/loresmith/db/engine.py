"""Engines of SQLAlchemy for a location, with limits on everything that could wait for ever."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from loresmith.db import sqlite_connection
from loresmith.db.columns import dump_json
from loresmith.db.location import Location, PostgresServer, SqliteFile

WRITES: Final = "loresmith_writes"
"""Execution option of a connection whose transactions write."""
STATEMENT_SECONDS: Final = 5
"""The longest that a statement, a lock of SQLite, or a free connection is waited for."""
_CONNECTIONS: Final = 10
_MIGRATION_SECONDS: Final = 60
_RECYCLE_SECONDS: Final = 1800


def create_engine(location: Location) -> AsyncEngine:
    """Return an engine for reads and writes; it connects when it is first used."""
    pool: dict[str, Any] = {"pool_size": _CONNECTIONS, "max_overflow": 0, "pool_timeout": STATEMENT_SECONDS}
    if isinstance(location, SqliteFile):
        return _sqlite(location, STATEMENT_SECONDS, ("foreign_keys=ON",), **pool)
    return _postgres(location, STATEMENT_SECONDS, pool_pre_ping=True, pool_recycle=_RECYCLE_SECONDS, **pool)


def create_migration_engine(location: Location) -> AsyncEngine:
    """Return an engine whose statements may take their time.

    SQLite checks no foreign keys there: a table that is made anew is dropped first, and would take along all that
    refers to it.
    """
    if isinstance(location, SqliteFile):
        return _sqlite(location, _MIGRATION_SECONDS, ("journal_mode=WAL", "foreign_keys=OFF"), poolclass=NullPool)
    return _postgres(location, 0, poolclass=NullPool)


def _sqlite(file: SqliteFile, busy_seconds: int, pragmas: Sequence[str], **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(file.path)),
        async_creator=partial(sqlite_connection.connect, file.path, busy_seconds=busy_seconds),
        json_serializer=dump_json,
        hide_parameters=True,
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("synchronous=FULL", *pragmas):  # what was saved survives a power cut
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # A read that turns into a write fails at once while another writes; one that says so at its begin waits its turn.
    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(server: PostgresServer, statement_seconds: int, **options: Any) -> AsyncEngine:
    from loresmith.db.psycopg_connection import connect  # noqa: PLC0415 - its driver is optional

    return create_async_engine(
        "postgresql+psycopg://",
        async_creator=partial(connect, server.parameters, statement_seconds=statement_seconds),
        json_serializer=dump_json,
        hide_parameters=True,
        use_native_hstore=False,
        **options,
    )
