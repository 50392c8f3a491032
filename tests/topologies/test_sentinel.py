"""A primary that dies under running jobs: every accepted job ends, and results wait for the new primary."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.jobs import JobContext, Status, StoreUnavailableError, job_type
from loresmith.jobs.connection import Connections
from loresmith.redis_server import RedisServerError, check_server
from tests.redis.conftest import Engine
from tests.topologies.servers import Pair, until
from tests.waiting import wait_until


class Step(BaseModel):
    """An empty payload."""


@pytest.fixture
async def engine(pair: Pair) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(pair.url, stack)


async def test_every_accepted_job_ends_when_the_primary_dies_in_the_middle(engine: Engine, pair: Pair) -> None:
    runs: list[str] = []
    may_end = asyncio.Event()

    @job_type("held")
    async def held(ctx: JobContext[Step]) -> str:
        runs.append(ctx.job_id)
        await ctx.save_item(0, {"run": ctx.run})
        await may_end.wait()
        return "kept"

    engine.registry.add(held)
    manager = engine.new_manager(replicas=1)
    jobs = [(await manager.create("held", {})).id for _ in range(12)]
    await engine.worker(held, concurrency=8, lease_seconds=2.0)
    await wait_until(lambda: len(runs) == 8)
    await wait_until(lambda: all(pair.replica.ask("HLEN", f"{{job:{job_id}}}:items") for job_id in runs))

    dead = pair.primary
    dead.kill()
    may_end.set()  # eight results are computed while there is no primary
    with pytest.raises(StoreUnavailableError):  # nobody promised it, but it may exist and run
        await manager.create("held", {})
    await wait_until(lambda: pair.primary is not dead)

    ended = [await engine.ended(job_id, seconds=30.0) for job_id in jobs]
    assert {(job.status, bytes(job.result)) for job in ended} == {(Status.COMPLETED, b'"kept"')}
    assert {runs.count(job_id) for job_id in jobs} == {1}  # nothing that was computed was lost
    after = await engine.manager.create("held", {})
    assert (await engine.ended(after.id)).status is Status.COMPLETED


async def test_a_primary_that_became_a_replica_is_left(engine: Engine, pair: Pair) -> None:
    @job_type("quick")
    async def quick(ctx: JobContext[Step]) -> int:
        return ctx.run

    await engine.worker(quick)
    await engine.ended((await engine.manager.create("quick", {})).id)
    old = pair.primary
    until(lambda: pair.sentinel.ask("SENTINEL", "failover", pair.service))  # once it has looked at the replica
    await wait_until(lambda: pair.primary is not old)

    async def accepted() -> str | None:
        try:
            return (await engine.manager.create("quick", {})).id
        except StoreUnavailableError:
            return None

    ended = await engine.ended(await wait_until(accepted) or "")
    assert ended.status is Status.COMPLETED


async def test_a_submit_that_asks_for_a_replica_waits_for_it(engine: Engine, pair: Pair) -> None:
    @job_type("quick")
    async def quick(ctx: JobContext[Step]) -> int:
        return ctx.run

    engine.registry.add(quick)
    manager = engine.new_manager(replicas=1)
    job = await manager.create("quick", {})
    assert pair.replica.ask("EXISTS", f"job:{job.id}") == 1
    assert pair.replica.ask("XLEN", "queue:{default}:normal") == 1

    pair.replica.kill()
    with pytest.raises(StoreUnavailableError):
        await manager.create("quick", {})
    alone = await engine.manager.create("quick", {})  # one that does not ask is accepted
    assert (await engine.manager.get(alone.id)).status is Status.PENDING


async def test_a_sentinel_that_says_nothing_costs_a_second(steady_pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        first = f"@127.0.0.1:{silent.getsockname()[1]},"
        client: Any = Connections(steady_pair.url.replace("@", first, 1)).client()
        async with client:
            began = time.monotonic()
            assert await client.ping()
            assert time.monotonic() - began < 4.0  # as long as it took before, and some for a busy machine


async def test_idle_connections_go_with_one_that_failed(steady_pair: Pair) -> None:
    client: Any = Connections(steady_pair.url).client()
    async with client:
        pool: Any = client.connection_pool
        failed, idle = await pool.get_connection(), await pool.get_connection()
        await pool.release(idle)
        assert idle.is_connected
        await failed.disconnect()
        await pool.release(failed)
        assert not idle.is_connected


async def test_no_primary_is_one_clear_line(steady_pair: Pair) -> None:
    url = steady_pair.url.replace("/lore/0", "/other/0")
    async with Connections(url).client() as client:
        with pytest.raises(RedisServerError) as raised:
            await check_server(client, url)
    place = f"redis+sentinel://127.0.0.1:{steady_pair.sentinel.port}/other/0"
    assert str(raised.value) == f"redis at {place!r}: no Sentinel that answers names a primary, see LORESMITH_REDIS_URL"
