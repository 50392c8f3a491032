"""Where the database is: a SQLite file, or a PostgreSQL server told by its URL."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from loresmith.db.errors import DatabaseSetupError

FILE_NAME: Final = "loresmith.sqlite3"
_SQLITE: Final = "sqlite:///"
_DEFAULTS: Final = {"connect_timeout": "5", "application_name": "loresmith", "keepalives_idle": "30"}
"""What a URL leaves open. Source: PostgreSQL manual, 34.1.2, parameter key words of libpq."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A file on this machine."""

    path: Path

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{_SQLITE}{self.path}"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database on a server: parameters of libpq by name, the password among them."""

    parameters: dict[str, Any] = field(repr=False)

    @property
    def place(self) -> str:
        """Where it is, for people; without user and password."""
        hosts = str(self.parameters.get("host", "")).split(",")
        ports = str(self.parameters.get("port", "5432")).split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        where = ",".join(f"{host}:{port or 5432}" for host, port in zip(hosts, ports, strict=False))
        return f"postgresql://{where}/{self.parameters.get('dbname', '')}"


Location = SqliteFile | PostgresServer


def locate(url: str | None, *, data_dir: Path) -> Location:
    """Return what `url` names, or without one the file in `data_dir`. Raises DatabaseSetupError."""
    if url is None:
        return SqliteFile(data_dir / FILE_NAME)
    if url.startswith(_SQLITE):
        return SqliteFile(Path(unquote(url.removeprefix(_SQLITE))).absolute())
    return PostgresServer({**_DEFAULTS, **_parameters(url)})


def _parameters(url: str) -> dict[str, Any]:
    try:
        import psycopg  # noqa: PLC0415 - optional
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - optional
    except ImportError:
        raise DatabaseSetupError(
            "LORESMITH_DATABASE_URL names a PostgreSQL, whose driver is missing: pip install 'loresmith[postgres]'"
        ) from None
    try:
        return conninfo_to_dict(url)
    except psycopg.Error:  # its text may show the password
        raise DatabaseSetupError(
            "LORESMITH_DATABASE_URL has a part that is not understood: expected postgresql://user@host:port/name"
        ) from None
