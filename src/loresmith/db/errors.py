"""Every error of the database, and what each one means to a caller.

DatabaseError
├── StorageUnavailableError   it cannot be reached, is locked or takes no writes now; try again later
├── WorldNotFoundError        no such world, or it is somebody else's
├── KeyNotFoundError          no API key has this id or prefix
├── CursorError               a cursor is none that a listing gave
└── DatabaseSetupError        it cannot be used as it is; the message is one line for an operator
    └── SchemaBehindError     its tables are older than this program

Messages of drivers have several lines, a marker under a place in the statement, and sometimes a password: `reason_of`
makes one line of them.
"""

from sqlalchemy import exc


class DatabaseError(Exception):
    """Base of all errors of the database."""


class StorageUnavailableError(DatabaseError):
    """The database cannot be reached, is locked or takes no writes; try again after `retry_after_seconds`."""

    def __init__(self, *, retry_after_seconds: int = 5) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"the database cannot be reached, try again in {retry_after_seconds} s")


class WorldNotFoundError(DatabaseError):
    """No world has this id for this owner: it never existed, was deleted, or is somebody else's."""

    def __init__(self, world_id: str) -> None:
        self.world_id = world_id
        super().__init__(f"no world {world_id!r}")


class KeyNotFoundError(DatabaseError):
    """No API key, or more than one, has this id or prefix."""

    def __init__(self, which: str, count: int) -> None:
        found = "no API key" if count == 0 else "more than one API key"
        super().__init__(f"{found} is named {which!r}: expected an id or a prefix that `loresmith keys list` shows")


class CursorError(DatabaseError):
    """The cursor is none that a listing gave."""

    def __init__(self) -> None:
        super().__init__("expected the next_cursor of an earlier page")


class DatabaseSetupError(DatabaseError):
    """The database cannot be used as it is: its address, its driver, its rights or its schema; no secret is named."""


class SchemaBehindError(DatabaseSetupError):
    """The tables are older than this program needs."""

    def __init__(self, place: str, current: str | None, needed: str, *, before: str = "") -> None:
        found = f"is at schema {current!r}, expected {needed!r}" if current else "has no tables yet"
        super().__init__(f"database {place!r} {found}: run `loresmith migrate`{before}")


def reason_of(error: BaseException) -> str:
    """Return what a driver says went wrong as one line, without its statement and the place in it."""
    cause = getattr(error, "orig", None) or error
    diagnosed: str | None = getattr(getattr(cause, "diag", None), "message_primary", None)
    if diagnosed:
        return " ".join(diagnosed.split()).rstrip(".")
    told = [" ".join(line.split()).rstrip(".") for line in str(cause).splitlines()]
    lines = [line for line in told if line and "Is the server running" not in line and set(line) - set("^~ ")]
    return "; ".join(dict.fromkeys(lines)) or "it does not answer"


def is_refused(error: BaseException) -> bool:
    """Tell whether PostgreSQL says that a right is missing, or that there is no schema to use."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, exc.DBAPIError) and state in ("42501", "3F000")
