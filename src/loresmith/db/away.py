"""Whether an error means that the database is away, rather than that a statement is wrong."""

from typing import Final

from sqlalchemy import exc

# Source: SQLite, "Result and Error Codes": its generic error is a wrong statement, these are the state of the file.
_SQLITE_STATES: Final = frozenset({5, 6, 7, 8, 10, 11, 13, 14, 15, 22, 26})
# Source: PostgreSQL manual, appendix A: connection, credentials, rollbacks by the server, resources, an operator, the
# system.
_POSTGRES_CLASSES: Final = ("08", "28", "40", "53", "57", "58")
_POSTGRES_CODES: Final = frozenset({"25006", "25P03", "55P03"})
"""A server that takes no writes (a standby by now), a transaction that idled too long, a lock that was not free."""


def is_away(error: BaseException) -> bool:
    """Tell whether the database cannot do its work now but may later."""
    if isinstance(error, TimeoutError | OSError | exc.TimeoutError | exc.DisconnectionError):
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, exc.InterfaceError):
        return True
    code = _sqlite_code(error)
    if code is not None:
        return code & 0xFF in _SQLITE_STATES
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # there was no answer at all
        return isinstance(error, exc.OperationalError)
    return state.startswith(_POSTGRES_CLASSES) or state in _POSTGRES_CODES


def _sqlite_code(error: exc.DBAPIError) -> int | None:
    return getattr(getattr(error.orig, "driver_exception", error.orig), "sqlite_errorcode", None)
