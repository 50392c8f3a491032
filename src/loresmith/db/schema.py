"""The schema of the database: what it is at, and how it is brought to what this program needs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection, exc, text

from loresmith.db.away import is_away
from loresmith.db.database import LONGEST_SECONDS
from loresmith.db.engine import WRITES, create_migration_engine
from loresmith.db.errors import DatabaseSetupError, SchemaBehindError, is_refused, reason_of
from loresmith.db.location import Location
from loresmith.db.rights import missing_to_migrate, missing_to_run
from loresmith.db.tables import Table

T = TypeVar("T")

log = structlog.get_logger(__name__)

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
LOCK: Final = 0x4C6F_7265_536D
"""Key of PostgreSQL's advisory lock; the same in all releases."""


@dataclass(slots=True)
class Migrated:
    """What a migration did: the schema before and after it, and its steps as `<revision> <what it made>`."""

    before: str | None
    after: str | None
    newer: bool = False
    """Whether the schema is one of a newer program, and was left alone."""
    steps: list[str] = field(default_factory=list[str])


async def migrate(location: Location, *, waits: Callable[[], None] = lambda: None) -> Migrated:
    """Bring the schema to what this program needs, in one transaction; calls `waits` when another one is at it.

    Two at once are safe: the second finds nothing left to do. Raises DatabaseSetupError.
    """
    done = await _connected(location, lambda connection: _migrate(location, connection, waits))
    _warn_of_newer(location, done)
    return done


async def check(location: Location) -> None:
    """Return when the schema is what this program needs, or newer, and this user may use it.

    Raises DatabaseSetupError, SchemaBehindError.
    """
    current, before = await _connected(location, lambda one: _examine(location, one), longest_seconds=LONGEST_SECONDS)
    scripts = _scripts()
    newer = _is_newer(scripts, current)
    _warn_of_newer(location, Migrated(current, current, newer=newer))
    needed = str(scripts.get_current_head())
    if current != needed and not newer:
        raise SchemaBehindError(location.place, current, needed, before=before)


def _examine(location: Location, connection: Connection) -> tuple[str | None, str]:
    """Return the schema, and what must be done before it can be migrated."""
    if missing := missing_to_run(connection):
        raise DatabaseSetupError(f"database {location.place!r}: {missing}")
    current = _current(connection)
    missing = missing_to_migrate(connection) if current is None else None
    return current, f", but {missing}" if missing else ""


async def _connected(location: Location, work: Callable[[Connection], T], *, longest_seconds: float | None = None) -> T:
    engine = create_migration_engine(location)
    try:
        async with (
            asyncio.timeout(longest_seconds),
            engine.execution_options(**{WRITES: True}).begin() as connection,
        ):
            return await connection.run_sync(work)
    except Exception as error:
        if is_away(error) or isinstance(error, exc.DBAPIError):
            raise DatabaseSetupError(_refused(location, error)) from error
        raise
    finally:
        await engine.dispose()


def _migrate(location: Location, connection: Connection, waits: Callable[[], None]) -> Migrated:
    if connection.dialect.name == "postgresql":
        _lock(connection, waits)
    scripts = _scripts()
    current = _current(connection)
    done = Migrated(current, current, newer=_is_newer(scripts, current))
    if done.newer:
        return done
    if current != scripts.get_current_head() and (missing := missing_to_migrate(connection)):
        raise DatabaseSetupError(f"database {location.place!r}: {missing}")

    def steps(revision: Any, _: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001 - as the environment scripts of Alembic do

    def applied(*_: Any, step: Any = None, **__: Any) -> None:
        done.after = step.up_revision_id
        done.steps.append(f"{step.up_revision_id} {step.up_revision.doc}")

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(
            connection=connection,
            target_metadata=Table.metadata,
            transactional_ddl=True,
            on_version_apply=applied,
        )
        with environment.begin_transaction():
            environment.run_migrations()
    return done


def _lock(connection: Connection, waits: Callable[[], None]) -> None:
    """Be the only one that migrates, until the end of the transaction."""
    if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
        waits()
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(_MIGRATIONS)


def _is_newer(scripts: ScriptDirectory, revision: str | None) -> bool:
    """Tell whether a revision is one that this program does not know."""
    if revision is None:
        return False
    try:
        scripts.get_revision(revision)
    except (RevisionError, CommandError):
        return True
    return False


def _warn_of_newer(location: Location, found: Migrated) -> None:
    if found.newer:
        log.warning("the schema is newer than this program", database=location.place, schema=found.after)


def _refused(location: Location, error: Exception) -> str:
    way = "see docs/database.md for the rights that are needed" if is_refused(error) else "see LORESMITH_DATABASE_URL"
    return f"database {location.place!r} cannot be used ({reason_of(error)}): {way}"
