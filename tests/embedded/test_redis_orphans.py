"""A parent that is killed leaves no server behind, and nothing of what it wrote is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from loresmith.bootstrap import connect
from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.redis import EmbeddedRedis
from tests.processes import gone
from tests.waiting import wait_until

PARENT = """
import asyncio, sys, pathlib
{loop}
from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.redis import EmbeddedRedis

async def main():
    data_dir = DataDir(pathlib.Path(sys.argv[1]))
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()

{run}(main())
"""
LOOPS = {
    "asyncio": PARENT.format(loop="", run="asyncio.run"),
    "uvloop": PARENT.format(loop="import uvloop", run="uvloop.run"),
}


async def start_parent(data: Path, loop: str) -> tuple[asyncio.subprocess.Process, str]:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LOOPS[loop], str(data)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    return parent, (await parent.stdout.readline()).decode().strip()


@pytest.mark.parametrize("loop", LOOPS)
async def test_a_killed_parent_takes_its_server_along(short_tmp: Path, loop: str) -> None:
    parent, url = await start_parent(short_tmp, loop)
    children = psutil.Process(parent.pid).children(recursive=True)
    assert [child.name() for child in children[1:]] == ["valkey-server"]
    async with connect(url) as client:
        await client.set("key", "kept")
    parent.kill()
    await parent.wait()
    await wait_until(lambda: all(map(gone, children)), seconds=5)
    assert await value_after_restart(short_tmp) == b"kept"


async def test_the_next_run_waits_for_the_flush_of_a_killed_one(short_tmp: Path) -> None:
    parent, url = await start_parent(short_tmp, "asyncio")
    async with connect(url) as client:
        await client.set("key", "kept")
    parent.kill()
    await parent.wait()
    assert await value_after_restart(short_tmp) == b"kept"


async def test_a_parent_killed_with_its_guard_leaves_nothing(short_tmp: Path) -> None:
    parent, _ = await start_parent(short_tmp, "asyncio")
    guard, valkey = psutil.Process(parent.pid).children(recursive=True)
    guard.suspend()
    parent.kill()
    await parent.wait()
    guard.kill()
    if sys.platform.startswith("linux"):
        await wait_until(lambda: gone(valkey), seconds=5)


async def test_a_signal_to_the_terminal_does_not_reach_the_server(short_tmp: Path) -> None:
    parent, _ = await start_parent(short_tmp, "asyncio")
    valkey = psutil.Process(parent.pid).children(recursive=True)[1]
    assert os.getpgid(valkey.pid) != os.getpgid(parent.pid)
    assert os.getsid(valkey.pid) != os.getsid(parent.pid)
    os.killpg(parent.pid, signal.SIGKILL)
    await parent.wait()
    await wait_until(lambda: gone(valkey), seconds=5)


async def value_after_restart(data: Path) -> bytes | str | None:
    data_dir = DataDir(data)
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    async with connect(server.url) as client:
        value = await client.get("key")
    await server.stop()
    data_dir.close()
    return value
