"""Measures what the worst requests cost, and how long another owner waits meanwhile; prints tables for the manual."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

import structlog

from loresmith.api.configured import REQUESTS_PER_MINUTE
from loresmith.api.connections import Connections
from loresmith.api.guard import KeyGuard
from loresmith.api.rate import Quota, RateLimiter
from loresmith.bootstrap import build_registry, connect
from loresmith.db import Database, locate
from loresmith.db.schema import migrate
from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.redis import EmbeddedRedis
from tests.api.conftest import play, write_verses
from tests.attacks.costs import Ask, cost_of, memory_of
from tests.attacks.serving import served
from tests.attacks.stage import Stage, stage
from tests.attacks.worst import worst


async def _measured(data: Path) -> None:
    data_dir = DataDir(data)
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    location = locate(None, data_dir=data)
    await migrate(location)
    database = Database(location)
    try:
        async with (
            connect(server.url) as redis,
            stage(redis, build_registry().add(write_verses, play), database) as one,
        ):
            await _costs(one)
            await _latencies(one)
    finally:
        await database.close()
        await server.stop()
        data_dir.close()


async def _costs(one: Stage) -> None:
    print("| request | answer | held at once | in all | memory |\n|---|---|---|---|---|")
    for name, ask in worst(one.stock).items():
        await one.send(ask)
        cost, memory = await cost_of(one.app, ask, one.bearer), await memory_of(one.app, ask, one.bearer)
        held, loop = cost.held_seconds * 1000, cost.loop_seconds * 1000
        print(f"| {name} | {cost.status} | {held:.1f} ms | {loop:.1f} ms | {memory / 1e6:.1f} MB |", flush=True)


async def _latencies(one: Stage) -> None:
    """Over sockets, from a process of its own, under the usual limit of requests."""
    other, _ = await one.api.keys.create("bob")
    guard = one.api.access.guard
    assert isinstance(guard, KeyGuard)
    asks: dict[str, Ask | None] = {"nothing else happens": None}
    asks |= {name: ask for name, ask in worst(one.stock).items() if not ask.hangs_up}
    print("\n| another owner asks for their name while | taken | median | 99 % | longest |\n|---|---|---|---|---|")
    async with served(one.app, Connections()) as (_, port):
        for name, ask in asks.items():
            guard._limiter = RateLimiter(Quota(REQUESTS_PER_MINUTE))
            waits, taken = await _flooded(port, one.bearer, other, ask)
            print(f"| {name} | {taken} | {_shown(sorted(waits))} |", flush=True)


async def _flooded(port: int, first: str, other: str, ask: Ask | None) -> tuple[list[float], int]:
    told = None if ask is None else {"method": ask.method, "path": ask.path, "body": ask.body.decode("latin-1")}
    command = (sys.executable, "-m", "tests.attacks.flood", str(port), first, other)
    client = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    output, _ = await client.communicate(json.dumps(told).encode())
    return json.loads(output)


def _shown(waits: Sequence[float]) -> str:
    middle, late = waits[len(waits) // 2], waits[min(len(waits) - 1, len(waits) * 99 // 100)]
    return " | ".join(f"{seconds * 1000:.0f} ms" for seconds in (middle, late, waits[-1]))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="costs") as folder:
        asyncio.run(_measured(Path(folder)))
