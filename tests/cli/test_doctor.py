"""The doctor finds what is wrong, says what to do, and works without a server."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from loresmith.cli import checkup
from loresmith.cli.checkup import Level, look_at_clocks, look_at_disk
from loresmith.cli.checkup_stores import look_at_redis
from loresmith.jobs import Worker
from loresmith.llm_service.access import Access
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from loresmith.settings import load_settings
from tests.cli.conftest import Command, Ran
from tests.waiting import wait_until


def named(ran: Ran) -> dict[str, dict[str, str]]:
    found: dict[str, Any] = orjson.loads(ran.out)
    assert found["ok"] == (ran.code == 0)
    return {one["name"]: one for one in found["checks"]}


@pytest.fixture
async def lore(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoreServer]:
    """A lore service with the scripted model, which the settings name."""
    server = LoreServer(Route([find_provider("fake?seconds=0.1")]), Access("sixteen-letters!"))
    port = await server.start("127.0.0.1:0")
    monkeypatch.setenv("LORESMITH_LORE_URL", f"127.0.0.1:{port}")
    monkeypatch.setenv("LORESMITH_LORE_TOKEN", "sixteen-letters!")
    yield server
    await server.stop(0.0)


async def test_on_a_fresh_machine_nothing_is_wrong(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_PORT", "1")
    ran = await command("doctor")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert {line.split()[0] for line in lines if not line.startswith(" ")} == {"ok", "note"}
    assert "not running at http://127.0.0.1:1: start it" in ran.out
    assert not (tmp_path / "data").exists(), "looking makes nothing"


async def test_all_is_well_beside_a_server_that_runs(
    server: str, command: Command, redis_url: str, lore: LoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", redis_url)
    found = named(await command("doctor", "--json"))
    assert {name for name, one in found.items() if one["level"] != "ok"} == {"sql", "queue"}, "no `run`, no worker"
    assert found["queue"]["found"] == "no worker is there, 0 jobs wait"
    assert found["api"]["found"] == f"{server} is ready, version 0.0.0"
    assert found["redis"]["found"].startswith("valkey ")
    assert found["redis persistence"]["found"] == "append-only file is on"
    assert found["model"]["found"].startswith("fake")
    assert found["clock"]["found"] == "the same as that of the API and redis"


async def test_what_holds_jobs_up_is_found_in_the_queue(
    server: str, command: Command, worker: Worker, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", redis_url)

    async def queue() -> dict[str, str]:
        return named(await command("doctor", "--json"))["queue"]

    await wait_until(lambda: expected(queue, "1 worker, 0 of 50 slots taken, 0 jobs wait"))
    assert (await command("pause")).code == 0
    assert (await command("submit", "generate_characters", "theme=fantasy")).code == 0
    await wait_until(lambda: expected(queue, "'default' is paused, 1 job waits"))
    assert (await queue())["advice"] == "`loresmith resume default`"


async def expected(look: Callable[[], Awaitable[dict[str, str]]], found: str) -> bool:
    return (await look())["found"] == found


async def test_another_server_at_the_address_is_told_from_none(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello")
        writer.close()

    serving = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with serving:
        port = serving.sockets[0].getsockname()[1]
        monkeypatch.setenv("LORESMITH_PORT", str(port))
        found = named(await command("doctor", "--json"))["api"]
    assert found["level"] == "wrong"
    assert found["found"].startswith(f"something else answers at http://127.0.0.1:{port}: ")
    assert "LORESMITH_PORT" in found["advice"]


async def test_what_is_not_there_is_wrong_if_it_was_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LORESMITH_REDIS_URL", "redis://:secret@127.0.0.1:1")
    monkeypatch.setenv("LORESMITH_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/x")
    monkeypatch.setenv("LORESMITH_LORE_URL", "127.0.0.1:1")
    ran = await command("doctor", "--json")
    found = named(ran)
    assert ran.code == 1
    assert {name for name, one in found.items() if one["level"] == "wrong"} == {"api", "redis", "sql", "lore service"}
    assert "LORESMITH_REDIS_URL" in found["redis"]["advice"]
    assert "UNAVAILABLE" in found["lore service"]["found"]
    assert "secret" not in ran.out
    text = (await command("doctor")).out
    assert all(len(line) <= 80 for line in text.splitlines() if " " in line[26:]), "only a path may be longer"
    assert text.startswith("wrong  api")


async def test_a_database_that_is_behind_is_to_be_migrated(
    command: Command, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_DATABASE_URL", postgres_url)
    assert "loresmith migrate" in named(await command("doctor", "--json"))["sql"]["advice"]
    assert (await command("migrate")).code == 0
    assert named(await command("doctor", "--json"))["sql"]["level"] == "ok"


async def test_a_wrong_setting_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_PROT", "8080")
    ran = await command("doctor")
    assert ran.code == 1
    assert "LORESMITH_PROT is not a setting: did you mean" in ran.out


async def test_a_wrong_model_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for model, expected in (("gguf:/nowhere.gguf", "there is no file"), ("nobody:model", "LORESMITH_MODEL")):
        monkeypatch.setenv("LORESMITH_MODEL", model)
        found = named(await command("doctor", "--json"))["model"]
        assert found["level"] == "wrong"
        assert expected in found["found"]


async def test_a_lore_service_with_another_token_is_found_at_the_model(
    command: Command, lore: LoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_LORE_TOKEN", "another-secret-of-16")
    found = named(await command("doctor", "--json"))
    assert found["lore service"]["level"] == "ok"
    assert found["model"]["level"] == "wrong"
    assert "LORESMITH_LORE_TOKEN" in found["model"]["advice"]


async def test_a_redis_that_may_lose_jobs_is_wrong(redis_url: str, redis: Any, tmp_path: Path) -> None:
    settings = load_settings(redis_url=redis_url, redis_replicas=2, data_dir=tmp_path)
    try:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        await redis.config_set("appendonly", "no")
        found = {one.name: one for one in (await look_at_redis(settings))[0]}
        assert found["redis persistence"].level is Level.WRONG
        assert "appendonly yes" in found["redis persistence"].advice
        assert found["redis memory"].level is Level.WRONG
        assert "noeviction" in found["redis memory"].advice
        assert found["redis replicas"].level is Level.WRONG
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", "1mb")
        memory = {one.name: one for one in (await look_at_redis(settings))[0]}["redis memory"]
        assert (memory.level, memory.advice) == (Level.WRONG, "raise `maxmemory`")
    finally:
        await redis.config_set("maxmemory", "0")
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("appendonly", "yes")


def test_clocks_that_differ_are_told_apart_from_slow_answers() -> None:
    told = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
    now = told.timestamp()
    assert checkup._ahead(None, now, now) is None
    for asked, answered in ((now + 0.5, now + 0.6), (now - 5.0, now + 0.1), (now + 1.9, now + 3.0)):
        assert checkup._ahead(told, asked, answered) == 0.0
    assert checkup._ahead(told, now - 60.0, now - 59.0) == pytest.approx(59.0)
    assert checkup._ahead(told, now + 62.0, now + 63.0) == pytest.approx(-60.0)


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        ({"redis": 0.2, "the API": None}, Level.OK, "the same as that of redis"),
        ({"redis": 4.0, "the API": 0.0}, Level.NOTE, "4.0 s behind that of redis"),
        ({"redis": 0.0, "the API": -60.0}, Level.WRONG, "60.0 s ahead of that of the API"),
        ({"redis": None}, Level.NOTE, "nothing to compare it with"),
    ],
)
def test_a_clock_that_is_off_is_named(ahead: dict[str, float | None], level: Level, words: str) -> None:
    found = look_at_clocks(ahead)
    assert found.level is level
    assert found.found.startswith(words)


def test_a_disk_without_room_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage: Any = shutil.disk_usage(tmp_path)
    for free, level in ((10 * 1024**3, Level.OK), (1024**3, Level.NOTE), (1024**2, Level.WRONG)):
        left = usage._replace(free=free)
        monkeypatch.setattr("shutil.disk_usage", {tmp_path: left}.__getitem__)
        assert look_at_disk(tmp_path / "not" / "made", needed=True).level is level
    (tmp_path / "file").touch()
    assert look_at_disk(tmp_path / "file" / "in", needed=True).level is Level.WRONG


async def test_a_server_that_lives_and_cannot_serve_is_told_from_one_that_is_away(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            lives = "/healthz" in head
            body = b'{"status":"ok","version":"9"}' if lives else b'{"code":"not_ready","detail":"redis: away"}'
            start = "200 OK" if lives else "503 Service Unavailable"
            writer.write(
                f"HTTP/1.1 {start}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            writer.transport.abort()

    serving = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with serving:
        monkeypatch.setenv("LORESMITH_URL", f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}")
        found = named(await command("doctor", "--json"))["api"]
    assert found["level"] == "wrong"
    assert found["found"].endswith("lives and cannot serve: redis: away")
