"""The database of a process, its schema in place, and `loresmith migrate`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING

from loresmith.cli.configure import configure
from loresmith.cli.stack import StartError
from loresmith.cli.terminal import say
from loresmith.embedded.data_dir import prepare_data_dir, warn_of_others
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.api.deps import Readiness
    from loresmith.db import Database, Location
    from loresmith.db.schema import Migrated

_PATIENCE_SECONDS = 2.0


def migrate() -> None:
    """Bring the database (LORESMITH_DATABASE_URL) to the schema of this version; harmless to repeat."""
    asyncio.run(_migrate(configure(least_log_level="error")))


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Database]:
    """The database of the settings. Raises StartError.

    The schema of a SQLite file, which belongs to this machine, is brought up to date; a server's is only checked.
    """
    from loresmith.db import Database, DatabaseSetupError, SqliteFile
    from loresmith.db.schema import check
    from loresmith.db.schema import migrate as bring_up_to_date

    location = _locate(settings)
    if isinstance(location, SqliteFile):
        warn_of_others(location.path.parent)
    try:
        await (bring_up_to_date(location) if isinstance(location, SqliteFile) else check(location))
    except DatabaseSetupError as error:
        raise StartError(str(error)) from None
    database = Database(location)
    try:
        yield database
    finally:
        await database.close()


def with_database(ready: Readiness, database: Database) -> Readiness:
    """What `ready` asks, and does the database answer."""
    from loresmith.db import StorageUnavailableError

    async def missing() -> Mapping[str, str]:
        others, here = await asyncio.gather(ready(), _missing())
        return {**others, **here}

    async def _missing() -> Mapping[str, str]:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await database.ready()
        except (StorageUnavailableError, TimeoutError):
            return {"database": "does not answer"}
        return {}

    return missing


async def _migrate(settings: Settings) -> None:
    from loresmith.db import DatabaseSetupError
    from loresmith.db.schema import migrate as bring_up_to_date

    location = _locate(settings)
    say(f"database {location.place}")
    try:
        done = await bring_up_to_date(location, waits=lambda: say("waiting for another migration"))
    except DatabaseSetupError as error:
        raise StartError(str(error)) from None
    _report(done)


def _report(done: Migrated) -> None:
    for step in done.steps:
        say(f"applied {step}")
    if done.newer:
        say(f"left alone: schema {done.after} is newer than this version of loresmith")
    elif not done.steps:
        say(f"nothing to do: the schema is at {done.after}, as it should be")
    else:
        say(f"done: the schema is at {done.after}")


def _locate(settings: Settings) -> Location:
    """Where the database is; makes the data directory if it is there."""
    from loresmith.db import DatabaseSetupError, locate

    if settings.database_url is None:
        prepare_data_dir(settings.data_dir)
    try:
        return locate(settings.database_url, data_dir=settings.data_dir)
    except DatabaseSetupError as error:
        raise StartError(str(error)) from None
