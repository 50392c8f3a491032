"""What `loresmith` says when it cannot start: one line that names the thing, and exit code 1."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from tests.e2e.conftest import Fails, Start


async def test_a_port_in_use(short_tmp: Path, fails: Fails) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = await fails(short_tmp / "data", port=str(port))
    assert line.startswith(f"loresmith: port {port} on '127.0.0.1' is in use")


async def test_a_data_dir_of_another_run(start: Start, short_tmp: Path, fails: Fails) -> None:
    run = await start(short_tmp / "data")
    line = await fails(short_tmp / "data")
    assert f"data directory '{short_tmp / 'data'}' is in use by another run (pid {run.process.pid})" in line


async def test_a_data_dir_that_cannot_be_written(fails: Fails) -> None:
    line = await fails(Path("/proc/loresmith"))
    assert line.startswith("loresmith: data directory '/proc/loresmith' cannot be written (")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_data_dir_of_somebody_else(short_tmp: Path, fails: Fails) -> None:
    (short_tmp / "data").mkdir(mode=0o500)
    assert "cannot be written (permission denied)" in await fails(short_tmp / "data")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"prot": "1"}, "LORESMITH_PROT is not a setting: did you mean LORESMITH_PORT?"),
        ({"port": "eighty"}, "LORESMITH_PORT='eighty': expected a valid integer"),
        ({"model": "fake?second=1"}, "LORESMITH_MODEL: unknown parameter 'second' of the fake model"),
        ({"model": "gguf:/nowhere.gguf"}, "model file '/nowhere.gguf' not found"),
        ({"lore_url": "localhost:1"}, "lore service could not be reached at 'localhost:1'"),
        ({"host": "256.0.0.1"}, "cannot listen on '256.0.0.1'"),
        ({"host": "a..b"}, "LORESMITH_HOST: 'a..b' is no name of a host"),
        ({"model": "gguf:~nobody-is-named-so/m"}, "model file '~nobody-is-named-so/m' not found"),
        ({"database_url": "mysql://u:hush@h/x"}, "LORESMITH_DATABASE_URL: expected postgresql://user@host:port/name"),
        ({"database_url": "postgresql://h/x?sslmod=1"}, "LORESMITH_DATABASE_URL has a part that is not understood"),
        ({"database_url": "sqlite:////nowhere/x"}, "database 'sqlite:////nowhere/x' cannot be used (unable to open"),
        ({"redis_url": "redis+sentinel://h:1"}, "LORESMITH_REDIS_URL: expected redis+sentinel://host:port/service/db"),
        ({"redis_url": "redis://127.0.0.1:1?decode_responses=1"}, "LORESMITH_REDIS_URL: expected no option but db"),
    ],
)
async def test_a_wrong_setting(short_tmp: Path, settings: dict[str, str], expected: str, fails: Fails) -> None:
    assert expected in await fails(short_tmp / "data", **settings)


@pytest.mark.parametrize(("command", "host"), [("run", "0.0.0.0"), ("run", "::"), ("serve", "0.0.0.0")])
async def test_an_api_that_strangers_could_use(short_tmp: Path, command: str, host: str, fails: Fails) -> None:
    line = await fails(short_tmp / "data", command, host=host, redis_url="redis://127.0.0.1:1/0")
    assert line == (
        f"loresmith: the API would let anyone who reaches {host!r} do everything: set LORESMITH_AUTH=keys or jwt,"
        " or LORESMITH_ALLOW_ANONYMOUS=1"
    )


@pytest.mark.parametrize("settings", [{"auth": "keys"}, {"allow_anonymous": "1"}])
async def test_an_api_that_may_listen_anywhere_goes_on_to_what_else_it_needs(
    short_tmp: Path, settings: dict[str, str], fails: Fails
) -> None:
    line = await fails(short_tmp / "data", "serve", host="0.0.0.0", redis_url="redis://127.0.0.1:1/0", **settings)
    assert "does not answer" in line


async def test_a_lore_service_that_strangers_could_use(short_tmp: Path, fails: Fails) -> None:
    line = await fails(short_tmp / "data", "lore", lore_listen="0.0.0.0:0")
    assert "the lore service would let anyone who reaches '0.0.0.0:0' use its keys: set LORESMITH_LORE_TOKEN" in line


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"model_fallbacks": "fake?speed=1"}, "LORESMITH_MODEL_FALLBACKS: unknown parameter 'speed'"),
        ({"budget_job_usd": "1"}, "the price of model 'fake' is not known"),
        ({"lore_tls_cert": "/nowhere.pem", "lore_tls_key": "/nowhere.key"}, "cannot read '/nowhere.key'"),
    ],
)
async def test_a_wrong_setting_of_the_lore_service(
    short_tmp: Path, settings: dict[str, str], expected: str, fails: Fails
) -> None:
    assert expected in await fails(short_tmp / "data", "lore", **settings)


@pytest.mark.parametrize("command", ["run", "worker"])
async def test_a_lore_url_where_another_service_answers(
    short_tmp: Path, redis_url: str, command: str, fails: Fails
) -> None:
    other = grpc.aio.server()
    port = other.add_insecure_port("127.0.0.1:0")
    await other.start()
    line = await fails(short_tmp / "data", command, redis_url=redis_url, lore_url=f"127.0.0.1:{port}")
    await other.stop(None)
    assert f"the lore service at '127.0.0.1:{port}' answered UNIMPLEMENTED" in line
    assert "see LORESMITH_LORE_URL" in line


async def test_a_redis_that_is_away(short_tmp: Path, fails: Fails) -> None:
    line = await fails(short_tmp / "data", redis_url="redis://:hush@127.0.0.1:1/0")
    assert "redis at 'redis://127.0.0.1:1/0' does not answer" in line
    assert "hush" not in line


async def test_a_postgresql_that_is_away(short_tmp: Path, fails: Fails) -> None:
    line = await fails(short_tmp / "data", database_url="postgresql://anna:hush@127.0.0.1:1/lore")
    assert line.startswith("loresmith: database 'postgresql://127.0.0.1:1/lore' cannot be used (")
    assert "Connection refused): see LORESMITH_DATABASE_URL" in line
    assert "hush" not in line


@pytest.mark.parametrize("command", ["run", "serve", "worker"])
async def test_a_postgresql_that_was_not_migrated(
    short_tmp: Path, postgres_url: str, redis_url: str, command: str, fails: Fails
) -> None:
    settings = {"database_url": postgres_url, "redis_url": redis_url, "lore_url": "localhost:1"}
    line = await fails(short_tmp / "data", command, **settings)
    assert line.endswith("has no tables yet: run `loresmith migrate`")


async def test_a_redis_that_is_too_old(short_tmp: Path, old_redis: str, fails: Fails) -> None:
    line = await fails(short_tmp / "data", redis_url=old_redis)
    assert f"redis at '{old_redis}' is version 6.0.16: expected 6.2 or newer" in line


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_a_process_that_needs_a_redis(short_tmp: Path, command: str, fails: Fails) -> None:
    line = await fails(short_tmp / "data", command, lore_url="localhost:1")
    assert "LORESMITH_REDIS_URL is not set" in line


@pytest.fixture
async def old_redis() -> AsyncIterator[str]:
    """A server that says it is Redis 6.0."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        word = b""
        while line := await reader.readline():
            for _ in range(2 * int(line[1:])):
                word = await reader.readline()
            writer.write(answer_to(word))
        writer.close()

    def answer_to(word: bytes) -> bytes:
        text = b"# Server\r\nredis_version:6.0.16\r\n"
        return b"$%d\r\n%s\r\n" % (len(text), text) if word.strip() == b"server" else b"+OK\r\n"

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
