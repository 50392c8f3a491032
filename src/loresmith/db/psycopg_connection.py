"""Connections to PostgreSQL that can be given up; imported only where one is configured."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.pq.abc import PGconn

from loresmith.db.errors import DatabaseSetupError


class Connection(AsyncConnection[Any]):
    """Closes itself when the query under way is given up.

    psycopg asks the server to cancel the query and waits for up to 10 s, but a server that hangs answers neither.
    """

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ARG002 - of psycopg
        """Close the connection instead of asking; the server ends the query by its `statement_timeout`."""
        self.pgconn.finish()


async def connect(parameters: Mapping[str, Any], *, statement_seconds: int) -> Connection:
    """Return a connection in UTC whose statements end in time; 0 lets them take theirs.

    Raises DatabaseSetupError for an encoding other than UTF-8.
    """
    # A prepared statement belongs to one connection of the server: behind a pooler the next one may be another.
    connection = await Connection.connect(**parameters, prepare_threshold=None)
    try:
        _check_encodings(connection.pgconn)
        # Not as start-up options: poolers such as PgBouncer refuse those.
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('timezone', 'UTC', false)",
            (str(statement_seconds * 1000),),
        )
        await connection.commit()
    except BaseException:
        await connection.close()
        raise
    return connection


def _check_encodings(connection: PGconn) -> None:
    """Refuse what cannot hold every character that a model writes: the first one would fail a world near its end."""
    told = {name: connection.parameter_status(f"{name}_encoding".encode()) for name in ("server", "client")}
    server, client = ((told[name] or b"UTF8").decode() for name in ("server", "client"))
    database = connection.db.decode("utf-8", "replace")
    if server != "UTF8":
        raise DatabaseSetupError(
            f"database {database!r} has the encoding {server}, expected UTF8: run"
            f" `CREATE DATABASE {database}_utf8 TEMPLATE template0 ENCODING 'UTF8'` and name that one in"
            " LORESMITH_DATABASE_URL"
        )
    if client != "UTF8":
        user = connection.user.decode("utf-8", "replace")
        raise DatabaseSetupError(
            f"the client encoding for database {database!r} is {client}, expected UTF8: unset PGCLIENTENCODING, take"
            " client_encoding out of LORESMITH_DATABASE_URL, or run"
            f' `ALTER ROLE "{user}" RESET client_encoding` and `ALTER DATABASE "{database}" RESET client_encoding`'
        )
