"""On a Cluster every script touches one slot, scripts that nodes forgot come back, and a node may die and return."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.jobs import (
    JobContext,
    JobManager,
    Listing,
    NotReplicatedError,
    Options,
    Priority,
    State,
    Status,
    StoreUnavailableError,
    TransientError,
    job_type,
)
from loresmith.jobs.claim import Claim, Dropped, Reason
from loresmith.jobs.inspector import Inspector
from loresmith.jobs.lua import SOURCES, Script
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.store import Store
from tests.redis.conftest import Engine
from tests.redis.test_follower import Notes, following
from tests.topologies.servers import Cluster
from tests.waiting import wait_until


class Step(BaseModel):
    """An empty payload."""


@job_type("saving")
async def saving(ctx: JobContext[Step]) -> int:
    await ctx.save_item(0, {"attempt": ctx.attempt})
    if ctx.attempt == 1:
        raise TransientError("not yet", code="provider_unavailable")
    return ctx.attempt


@job_type("quick")
async def quick(ctx: JobContext[Step]) -> int:
    await ctx.compare("a model", 1)
    ctx.reached(0, 0)
    return ctx.run


@pytest.fixture
async def engine(cluster: Cluster) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(cluster.url, stack)


async def test_every_script_touches_one_slot(engine: Engine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, tuple[str, ...]]] = []
    run = Pipeline.script

    def watch(self: Pipeline, script: Script, keys: Sequence[Any], args: Sequence[Any]) -> asyncio.Future[Any]:
        called.append((script.name, tuple(keys)))
        return run(self, script, keys, args)

    monkeypatch.setattr(Pipeline, "script", watch)
    await _use_every_script(engine)
    names = {script_name for script_name, _ in called}
    assert names == {name for name in _script_names() if name != "renew"}  # the keeper's: one key
    slots = {keys: {cluster.nodes[0].ask("CLUSTER", "KEYSLOT", key) for key in keys} for _, keys in called}
    assert [keys for keys, found in slots.items() if len(found) != 1] == []
    assert len({slot for found in slots.values() for slot in found}) > 3  # jobs are spread over the slots


def _script_names() -> set[str]:
    from loresmith.jobs import lua

    return {script.name for script in vars(lua).values() if isinstance(script, Script) and script.sha in SOURCES}


async def _use_every_script(engine: Engine) -> None:
    manager = engine.new_manager(limit=20)
    await engine.worker(saving, quick, lease_seconds=0.2)
    limited = Options(owner="one at a time", running_limit=1, priority=Priority.LOW)
    made = [await manager.create("saving", {}), (await manager.create_once("quick", {}, key="k"))[0]]
    made += [await manager.create("quick", {}, limited) for _ in range(2)]
    for job in made:
        assert (await engine.ended(job.id)).status is Status.COMPLETED
        await manager.read(job.id)
    assert len((await manager.list(Listing())).jobs) == len(made)
    assert len((await manager.list(Listing(), owner=limited.owner)).jobs) == 2
    await manager.delete(made[1].id)  # and its key
    await manager.pause()
    waiting = await manager.create("quick", {})
    view = await manager.view(waiting.id)
    await manager.place(view)
    assert view.position == 1
    assert (await manager.stats()).depth.normal == 1
    await manager.cancel(waiting.id)
    await manager.retry(waiting.id)
    pipeline = Pipeline(engine.connection())
    store, queue = Store(pipeline), Queue(pipeline)
    await queue.give_turn_back()  # the worker may have had its own at its start
    await Inspector(store, queue).inspect()  # touch, retire
    await queue.drop("nobody", Claim("n", "0-0", waiting.id), Dropped(Reason.HELD, "n0-1"))  # forget
    await manager.resume()
    notes = Notes()
    async with following(engine.url, notes):
        await wait_until(lambda: len(notes.seen) >= len(made))
    await wait_until(_swept(engine))


def _swept(engine: Engine) -> Any:
    """The rescue sweep has run: it is paced, and only once Redis was up for a lease."""
    client = engine.connection()

    async def swept() -> bool:
        return bool(await client.exists("queue:{default}:cursor"))

    return swept


async def test_scripts_that_every_node_forgot_come_back(engine: Engine, cluster: Cluster) -> None:
    await engine.worker(saving)
    jobs: list[Any] = []
    for _ in range(5):
        jobs.append(await engine.manager.create("saving", {}))
        for node in cluster.nodes:
            node.ask("SCRIPT", "FLUSH")
    for job in jobs:
        ended = await engine.ended(job.id)
        assert (ended.status, ended.attempt) == (Status.COMPLETED, 2)


async def _create_on(manager: JobManager, cluster: Cluster, index: int, type_name: str) -> str:
    """Create a job whose document a certain node serves."""
    while True:
        job = await manager.create(type_name, {})
        if cluster.node_of(f"job:{job.id}") is cluster.nodes[index]:
            return job.id
        await manager.cancel(job.id)


@pytest.mark.parametrize("victim", ["of the queue", "of the job"])
async def test_a_result_computed_while_a_node_is_dead_arrives_when_it_is_back(
    engine: Engine, cluster: Cluster, victim: str
) -> None:
    runs: list[str] = []
    may_end = asyncio.Event()

    @job_type("held")
    async def held(ctx: JobContext[Step]) -> str:
        runs.append(ctx.job_id)
        await may_end.wait()
        return "kept"

    await engine.worker(held, concurrency=50)
    of_queue = cluster.nodes.index(cluster.node_of("queue:{default}:open"))
    of_job = (of_queue + 1) % 3
    job_id = await _create_on(engine.manager, cluster, of_job, "held")
    await wait_until(lambda: job_id in runs)
    dead = cluster.nodes[of_queue if victim == "of the queue" else of_job]
    dead.kill()
    may_end.set()
    await wait_until(_refuses(engine))
    dead.start()
    await asyncio.to_thread(cluster.until_whole)
    ended = await engine.ended(job_id)
    assert (ended.state, bytes(ended.result), ended.rescues) == (State.COMPLETED, b'"kept"', 0)
    assert runs.count(job_id) == 1
    assert (await engine.ended((await engine.manager.create("held", {})).id)).status is Status.COMPLETED


def _refuses(engine: Engine) -> Any:
    """The Cluster is known to be down: it serves nothing while some slots have no node."""

    async def refused() -> bool:
        try:
            await engine.manager.create("held", {})
        except StoreUnavailableError:
            return True
        return False

    return refused


async def test_a_submit_that_asks_for_replicas_is_not_promised_where_there_are_none(
    engine: Engine, cluster: Cluster
) -> None:
    engine.registry.add(quick)
    manager = engine.new_manager(replicas=1)
    for _ in range(2):  # nor when it is repeated, as the error advises
        with pytest.raises(NotReplicatedError):
            await manager.create_once("quick", {}, key="key")
