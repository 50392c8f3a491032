"""The embedded Redis: a real server that keeps its data, comes back, and ends with its parent."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from loresmith.bootstrap import connect
from loresmith.embedded.data_dir import DataDir, DataDirError
from loresmith.embedded.redis import SOCKET_PATH_LIMIT, EmbeddedRedis, EmbeddedRedisError, find_server
from tests.processes import gone
from tests.waiting import wait_until


@pytest.fixture
async def data_dir(short_tmp: Path) -> AsyncIterator[DataDir]:
    data_dir = DataDir(short_tmp / "data")
    await data_dir.open()
    yield data_dir
    data_dir.close()


@pytest.fixture
async def server(data_dir: DataDir) -> AsyncIterator[EmbeddedRedis]:
    server = EmbeddedRedis(data_dir)
    await server.start()
    yield server
    await server.stop()


def valkey_of(server: EmbeddedRedis) -> psutil.Process:
    assert server.pid is not None
    [valkey] = psutil.Process(server.pid).children()
    return valkey


async def test_answers_on_a_private_socket_and_on_no_port(server: EmbeddedRedis) -> None:
    async with connect(server.url) as client:
        assert await client.set("a", "1")
        told: Any = client
        assert await told.config_get("port", "maxmemory-policy", "appendonly") == {
            "port": "0",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
        }
    assert valkey_of(server).net_connections("inet") == []
    assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700


async def test_keeps_its_data_over_a_stop(data_dir: DataDir) -> None:
    for expected in (None, b"kept"):
        server = EmbeddedRedis(data_dir)
        await server.start()
        async with connect(server.url) as client:
            assert await client.get("key") == expected
            await client.set("key", "kept")
        await server.stop()
        assert server.pid is None


@pytest.mark.parametrize("victim", ["guard", "valkey"])
async def test_comes_back_with_its_data_when_killed(server: EmbeddedRedis, victim: str) -> None:
    async with connect(server.url) as client:
        await client.set("key", "kept")
    before = valkey_of(server)
    os.kill(before.pid if victim == "valkey" else before.ppid(), signal.SIGKILL)
    await wait_until(lambda: server.restarts == 1)
    async with connect(server.url) as client:
        assert await client.get("key") == b"kept"
    assert gone(before)


async def test_a_server_that_outlived_its_guard_is_stopped_first(data_dir: DataDir) -> None:
    server = EmbeddedRedis(data_dir)
    options = ["--port", "0", "--save", "", "--unixsocket", str(server.socket_path)]
    with psutil.Popen([find_server(), *options], stdout=subprocess.DEVNULL) as leftover:
        await wait_until(server.socket_path.exists)
        await server.start()
        assert leftover.wait() == 0
        await server.stop()


async def test_a_frozen_server_is_stopped_all_the_same(server: EmbeddedRedis) -> None:
    valkey = valkey_of(server)
    valkey.suspend()
    await server.stop()
    assert gone(valkey)


async def test_a_data_dir_of_any_length_gets_a_socket(short_tmp: Path) -> None:
    data_dir = DataDir(short_tmp / ("long" * 30))
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    async with connect(server.url) as client:
        assert await client.set("key", "1")
    assert len(os.fsencode(server.socket_path)) <= SOCKET_PATH_LIMIT
    assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
    await server.stop()
    assert not server.socket_path.parent.exists()
    data_dir.close()


async def test_a_short_dir_left_by_a_killed_run_is_removed(short_tmp: Path) -> None:
    data_dir = DataDir(short_tmp / ("long" * 30))
    await data_dir.open()
    leftover = short_tmp / "loresmith-left"
    leftover.mkdir()
    (data_dir.path / "redis.sock.path").write_text(str(leftover / "redis.sock"))
    server = EmbeddedRedis(data_dir)
    await server.start()
    assert not leftover.exists()
    await server.stop()
    data_dir.close()


async def test_what_the_server_says_is_in_the_error(data_dir: DataDir) -> None:
    (data_dir.path / "appendonlydir").write_text("not a directory")
    with pytest.raises(EmbeddedRedisError, match=r"did not start \(.*appendonlydir.*redis\.log"):
        await EmbeddedRedis(data_dir).start()


async def test_a_second_run_is_told_whose_the_data_dir_is(data_dir: DataDir) -> None:
    with pytest.raises(DataDirError, match=rf"in use by another run \(pid {os.getpid()}\)"):
        await DataDir(data_dir.path).open()


@pytest.mark.parametrize("place", ["file/data", "/proc/data"])
async def test_a_data_dir_that_cannot_be_made_is_named(short_tmp: Path, place: str) -> None:
    (short_tmp / "file").write_text("")
    path = short_tmp / place
    with pytest.raises(DataDirError, match=rf"data directory '{path}' cannot be written \(.+\): "):
        await DataDir(path).open()
