"""Connections to PostgreSQL that can be given up; imported only where one is configured."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection


class Connection(AsyncConnection[Any]):
    """Closes itself when the query under way is given up.

    psycopg asks the server to cancel the query and waits for up to 10 s, but a server that hangs answers neither.
    """

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ARG002 - of psycopg
        """Close the connection instead of asking; the server ends the query by its `statement_timeout`."""
        self.pgconn.finish()


async def connect(parameters: Mapping[str, Any], *, statement_seconds: int) -> Connection:
    """Return a connection in UTC whose statements end in time; 0 lets them take theirs."""
    # A prepared statement belongs to one connection of the server: behind a pooler the next one may be another.
    connection = await Connection.connect(**parameters, prepare_threshold=None)
    try:
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
