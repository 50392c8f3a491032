"""The database of a process: transactions that end in time, and errors that say whether to try again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from loresmith.db.away import is_away
from loresmith.db.engine import WRITES, create_engine
from loresmith.db.errors import StorageUnavailableError
from loresmith.db.location import Location, SqliteFile
from loresmith.db.tables import Table, WorldRow

LONGEST_SECONDS: Final = 8.0
"""The longest that one transaction may take, waiting for a connection included."""


class Database:
    """Opens transactions on the database at `location`; it connects when it is first used."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._engine = create_engine(location)
        self._writes = self._engine.execution_options(**{WRITES: True})

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that only reads. Raises StorageUnavailableError, whatever the block was doing."""
        async with _in_time(), AsyncSession(self._engine) as session, session.begin():
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that writes, committed at the end. Raises StorageUnavailableError: it may be committed then."""
        async with _in_time(), AsyncSession(self._writes) as session, session.begin():
            yield session

    def insert(self, table: type[Table]) -> postgresql.Insert | sqlite.Insert:
        """Return an insert that can say what to do with a row that is there already."""
        return sqlite.insert(table) if isinstance(self.location, SqliteFile) else postgresql.insert(table)

    async def ready(self) -> None:
        """Return when the database answers and has its tables. Raises StorageUnavailableError."""
        try:
            async with self.reading() as session:
                await session.execute(select(literal(1)).select_from(WorldRow).limit(1))
        except DBAPIError as error:  # the tables are gone
            raise StorageUnavailableError from error

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            yield
    except Exception as error:
        if is_away(error):
            raise StorageUnavailableError from error
        raise
