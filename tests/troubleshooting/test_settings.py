"""Rows about settings, rights and surroundings that a start refuses."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.db.postgres import Postgres
from tests.e2e.conftest import alone_fails
from tests.topologies.rights import documented_rights
from tests.topologies.servers import Server, running
from tests.troubleshooting.conftest import Row

pytestmark = pytest.mark.long  # commands of one process, one after another


async def test_setting_pasted(row: Row) -> None:
    await row.loresmith("migrate", model_api_key="sk-a\u2026b")
    assert row.codes[-1] == 1
    await row.loresmith("doctor", model_api_key="sk-a\u2026b")
    assert "wrong  settings" not in await row.loresmith("doctor", model_api_key=" \u201csk-ab\u201d\n")
    row.judge()


async def test_redis_option(row: Row) -> None:
    await row.loresmith("migrate", redis_url="redis://h?decode_responses=true")
    await row.loresmith("doctor", redis_url="redis://h?decode_responses=true")
    assert "wrong  settings" not in await row.loresmith("doctor")
    row.judge()


async def test_proxy_not_usable(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:1080")
    service = {"model": "openai-compatible:m", "model_base_url": "http://model.example/v1"}
    row.saw(await alone_fails(row.data_dir, "lore", lore_listen="127.0.0.1:0", **service))
    monkeypatch.setenv("NO_PROXY", "model.example")
    assert "ALL_PROXY" not in await row.loresmith("doctor", **service)
    row.judge()


async def test_no_home(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nameless)
    own, row.data_dir = row.data_dir, Path("~/.local/share/loresmith")
    await row.loresmith("migrate")
    assert row.codes[-1] == 1
    await row.loresmith("doctor")
    row.data_dir = own
    await row.loresmith("migrate")
    assert row.codes[-1] == 0
    row.judge()


async def test_redis_rights(row: Row, tmp_path: Path) -> None:
    with running(Server(tmp_path / "redis", ["--requirepass", "admin"], password="admin")) as server:
        server.ask("ACL", "SETUSER", "loresmith", "on", ">secret", "+ping", "+hello", "+select")
        settings = {"redis_url": f"redis://loresmith:secret@127.0.0.1:{server.port}/0"}
        row.saw(await alone_fails(row.data_dir, "serve", **settings))
        await row.loresmith("doctor", **settings)
        server.ask(*documented_rights("secret"))
        assert "does not let" not in await row.loresmith("doctor", **settings)
    row.judge()


async def test_sql_rights(row: Row, postgres: Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE anna LOGIN")
        try:
            settings = {"database_url": postgres_url.replace("//tester@", "//anna@")}
            await row.loresmith("migrate", **settings)
            admin.execute("GRANT USAGE, CREATE ON SCHEMA public TO anna")
            await row.loresmith("migrate", **settings)
            assert row.codes == [1, 0]
        finally:
            admin.execute("DROP OWNED BY anna CASCADE")
            admin.execute("DROP ROLE anna")
    row.judge()


async def test_sql_encoding(row: Row, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    await row.loresmith("migrate", database_url=postgres_url)
    await row.loresmith("doctor", database_url=postgres_url)
    monkeypatch.delenv("PGCLIENTENCODING")
    await row.loresmith("migrate", database_url=postgres_url)
    assert row.codes[-1] == 0
    row.judge()
