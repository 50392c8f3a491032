"""Rights of a user in PostgreSQL: what LoreSmith needs, what is missing, and the statement that gives it."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

from loresmith.db.tables import Table

_DATA: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_VERSIONS: Final = "alembic_version"
_WHO: Final = text(
    "SELECT quote_ident(current_user) AS name, quote_ident(current_schema()) AS schema,"
    " current_setting('search_path') AS path,"
    " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create"
)
_TABLES: Final = text(
    "SELECT relname, has_table_privilege(oid, 'SELECT') AS reads, has_table_privilege(oid, 'INSERT')"
    " AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE') AS writes"
    " FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
)
_HIDDEN: Final = text(
    "SELECT quote_ident(nspname) FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid"
    " WHERE relname = :table AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')"
    " AND nspname = ANY(string_to_array(translate(current_setting('search_path'), '\" ', ''), ',')) LIMIT 1"
)


def missing_to_migrate(connection: Connection) -> str | None:
    """Name the right that is missing to make tables, and the statement that gives it; None: nothing is missing."""
    if connection.dialect.name != "postgresql":
        return None
    who = connection.execute(_WHO).one()
    if who.may_create:
        return None
    schema = who.schema or _first_of(who.path)
    return (
        f"the user {who.name} may not create tables in schema {schema}: as its owner, run"
        f" `GRANT USAGE, CREATE ON SCHEMA {schema} TO {who.name}`"
    )


def missing_to_run(connection: Connection) -> str | None:
    """Name the right that is missing to read and write what is saved, and the statement that gives it."""
    if connection.dialect.name != "postgresql":
        return None
    who = connection.execute(_WHO).one()
    hidden = connection.scalar(_HIDDEN, {"table": _VERSIONS})
    if hidden is not None:
        return _grant(who.name, hidden, f"GRANT USAGE ON SCHEMA {hidden} TO {who.name}", "use")
    if who.schema is None or not any(_refused_tables(connection)):
        return None
    tables = f"GRANT {', '.join(_DATA)} ON ALL TABLES IN SCHEMA {who.schema} TO {who.name}"
    return _grant(who.name, who.schema, tables, "read and write the tables in")


def _grant(user: str, schema: str, statement: str, what: str) -> str:
    return f"the user {user} may not {what} schema {schema}: as the owner, run `{statement}`"


def _refused_tables(connection: Connection) -> Iterator[str]:
    needed = {table.name for table in Table.metadata.sorted_tables}
    for row in connection.execute(_TABLES):
        if (row.relname in needed and not (row.reads and row.writes)) or (row.relname == _VERSIONS and not row.reads):
            yield row.relname


def _first_of(path: str) -> str:
    """Return the schema that a search path means where none of its own is there."""
    named = [part.strip() for part in path.split(",")]
    return next((part for part in named if part and part != '"$user"'), "public")
