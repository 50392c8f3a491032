"""PostgreSQL as administrators give it: the least rights, the encodings that fit, and one line for what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, ProgrammingError

from loresmith.db import Database, DatabaseSetupError, Location, SchemaBehindError, Worlds, locate
from loresmith.db.errors import reason_of
from loresmith.db.schema import check, migrate
from tests.db.postgres import Postgres
from tests.db.samples import new_world

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "database.md"


@pytest.fixture
def user(postgres: Postgres, postgres_url: str) -> Iterator[str]:
    """A role that may connect, and nothing else."""
    run(postgres_url, "CREATE ROLE app LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield "app"
    run(postgres_url, "DROP OWNED BY app CASCADE", "DROP ROLE app")


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def as_user(url: str) -> Location:
    return locate(url.replace("//tester@", "//app@"), data_dir=Path())


async def refused(attempt: Any) -> str:
    with pytest.raises(DatabaseSetupError) as caught:
        await attempt
    message = str(caught.value)
    assert message.isprintable(), message
    assert "^" not in message
    return message


def granted(message: str) -> str:
    """Return the statement that a message says to run."""
    return re.findall(r"run `((?:GRANT|ALTER)[^`]*)`", message)[-1]


@pytest.mark.usefixtures("user")
async def test_migrate_names_the_right_to_make_tables(postgres_url: str) -> None:
    message = await refused(migrate(as_user(postgres_url)))
    assert "the user app may not create tables in schema public: as its owner, run `GRANT USAGE, CREATE" in message
    run(postgres_url, granted(message))
    assert (await migrate(as_user(postgres_url))).steps


@pytest.mark.usefixtures("user")
async def test_a_start_before_the_migration_names_the_right_too(postgres_url: str) -> None:
    with pytest.raises(
        SchemaBehindError, match=r"has no tables yet: run `loresmith migrate`, but the user app may not"
    ):
        await check(as_user(postgres_url))


@pytest.mark.usefixtures("user")
async def test_the_right_is_named_where_the_schema_is_hidden(postgres_url: str) -> None:
    run(postgres_url, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    message = await refused(migrate(as_user(postgres_url)))
    assert granted(message) == "GRANT USAGE, CREATE ON SCHEMA public TO app"


@pytest.mark.usefixtures("user")
async def test_what_a_start_says_to_grant_is_enough_to_run(postgres_url: str) -> None:
    run(postgres_url, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
    location = as_user(postgres_url)
    await migrate(locate(postgres_url, data_dir=Path()))
    message = await refused(check(location))
    assert granted(message) == "GRANT USAGE ON SCHEMA public TO app"
    run(postgres_url, granted(message))
    message = await refused(check(location))
    assert granted(message) == "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app"
    run(postgres_url, granted(message))
    await check(location)
    assert not (await migrate(location)).steps


@pytest.mark.usefixtures("user")
async def test_the_documented_rights_are_enough_to_save_and_delete(postgres_url: str) -> None:
    await migrate(locate(postgres_url, data_dir=Path()))
    run(postgres_url, *documented())
    location = as_user(postgres_url)
    await check(location)
    database = Database(location)
    worlds = Worlds(database)
    saved = await worlds.save(new_world())
    await worlds.delete(saved.id, owner=None)
    await database.close()


def documented() -> list[str]:
    """Return the statements that the documentation gives, for the user of these tests."""
    [block] = re.findall(r"```sql\n(GRANT.*?)\n```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.partition("--")[0].strip() for line in block.splitlines()]
    return [line.replace("loresmith_app", "app").rstrip(";") for line in lines if line]


async def test_tables_of_others_with_a_hidden_schema_do_not_matter(postgres_url: str, user: str) -> None:
    run(postgres_url, "CREATE SCHEMA other", "CREATE TABLE other.alembic_version (version_num text)")
    run(postgres_url, f"GRANT CREATE ON SCHEMA public TO {user}")
    await migrate(as_user(postgres_url))
    await check(as_user(postgres_url))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_that_is_not_utf8_is_refused(postgres: Postgres, encoding: str) -> None:
    run(postgres.url(), f"CREATE DATABASE odd TEMPLATE template0 ENCODING '{encoding}'")
    location = locate(postgres.url("odd"), data_dir=Path())
    try:
        for attempt in (migrate(location), check(location)):
            message = await refused(attempt)
            assert f"database 'odd' has the encoding {encoding}, expected UTF8" in message
        [statement] = re.findall(r"`(CREATE DATABASE [^`]*)`", message)
        run(postgres.url(), statement)
        await migrate(locate(postgres.url("odd_utf8"), data_dir=Path()))
        postgres.drop("odd_utf8")
    finally:
        postgres.drop("odd")


async def test_a_client_encoding_that_is_not_utf8_is_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(locate(postgres_url, data_dir=Path()))
    for url in (f"{postgres_url}&client_encoding=LATIN1", postgres_url):
        message = await refused(check(locate(url, data_dir=Path())))
        assert "is LATIN1, expected UTF8: unset PGCLIENTENCODING" in message
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        await refused(migrate(locate(url, data_dir=Path())))
    monkeypatch.setenv("PGCLIENTENCODING", "utf-8")
    await check(locate(postgres_url, data_dir=Path()))


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1,localhost:1/x", "postgresql:///x?host=/nowhere"])
async def test_a_server_that_is_away_is_one_line(url: str) -> None:
    message = await refused(check(locate(url, data_dir=Path())))
    assert "Is the server running" not in message
    assert "see LORESMITH_DATABASE_URL" in message


async def test_a_wrong_statement_is_told_without_its_diagram(postgres_url: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        run(postgres_url, "SELECT 1 FRM\n  worlds")
    wrapped: DBAPIError = ProgrammingError("SELECT 1", {}, caught.value)
    assert reason_of(wrapped) == 'syntax error at or near "worlds"'
    assert reason_of(psycopg.OperationalError("a\nLINE 1: x\n   ^\n a")) == "a; LINE 1: x"
