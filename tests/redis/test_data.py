"""What users send comes back unchanged, lifetimes are renewed, and long lists are reached to their end."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from loresmith.jobs import JobContext, Options, Status, TransientError, job_type
from loresmith.jobs.inspector import Inspector
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.store import Store
from tests.redis.conftest import Engine
from tests.waiting import wait_until

SUBMISSION: tuple[str, object, Options] = ("echo", {}, Options())
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Anything(BaseModel):
    """A payload that may be any JSON value."""

    value: Any = None


@job_type("echo")
async def echo(ctx: JobContext[Anything]) -> list[Any]:
    if 0 not in ctx.items:
        await ctx.save_item(0, {"value": ctx.payload.value})
        raise TransientError("once more", code="provider_unavailable", retry_after_seconds=0.0)
    return [ctx.items[0]["value"]]


@given(values=st.lists(JSON, min_size=10, max_size=30))
@settings(max_examples=6, deadline=None)
def test_any_json_value_survives_payload_item_retry_and_result(redis_server: str, values: list[Any]) -> None:
    async def life() -> None:
        async with AsyncExitStack() as stack:
            engine = Engine(redis_server, stack)
            await engine.worker(echo, concurrency=30)
            jobs = [await engine.manager.create("echo", {"value": value}) for value in values]
            ends = [await engine.ended(job.id) for job in jobs]
            assert [json.loads(bytes(job.result)) for job in ends] == [[value] for value in values]

    asyncio.run(life())


async def test_values_that_a_script_would_break_come_back_whole(engine: Engine) -> None:
    await engine.worker(echo)
    empty: list[Any] = []
    value: Any = {
        "empty": empty,
        "object": {},
        "large": 2**60 + 1,
        "text": "\x00\U0001f600 </script>",
        "deep": [[empty]],
    }
    job = await engine.manager.create("echo", {"value": value}, Options(max_attempts=2))
    await engine.ended(job.id)
    assert json.loads(await engine.manager.read(job.id))["result"] == [value]


async def test_the_lifetime_is_renewed_while_the_job_runs(engine: Engine, redis: Any) -> None:
    go_on = asyncio.Event()

    @job_type("long")
    async def long(ctx: JobContext[Anything]) -> int:
        await ctx.save_item(0, {})
        await go_on.wait()
        ctx.report(0.5)
        await ctx.save_item(1, {})
        return 1

    await engine.worker(long)
    job = await engine.manager.create("long", {})
    names = [f"job:{job.id}", *(f"{{job:{job.id}}}:{part}" for part in ("input", "lease", "items"))]
    await wait_until(lambda: redis.exists(f"{{job:{job.id}}}:items"))
    for name in names:
        await redis.expire(name, 60)
    go_on.set()
    await engine.ended(job.id)
    assert all([await redis.ttl(name) > 86_000 for name in names[:3]])


async def test_an_inspection_renews_waiting_jobs_and_ends_those_that_waited_too_long(
    engine: Engine, redis: Any
) -> None:
    engine.registry.add(echo)
    waiting, overdue = [await engine.manager.create("echo", {}) for _ in range(2)]
    await redis.expire(f"job:{waiting.id}", 60)
    await redis.zadd("queue:{default}:open", {overdue.id: 1, "6f9619ff-8b86-4011-b42d-00c04fc964ff": 1})
    pipeline = Pipeline(engine.connection())
    inspector = Inspector(Store(pipeline), Queue(pipeline))
    await inspector.inspect()
    assert await redis.ttl(f"job:{waiting.id}") > 86_000
    ended = await engine.manager.get(overdue.id)
    assert (ended.status, ended.error_detail.code if ended.error_detail else "") == (Status.FAILED, "deadline_exceeded")
    assert await redis.zrange("queue:{default}:open", 0, -1) == [waiting.id.encode()]
    await pipeline.close()


async def test_a_rescue_reaches_the_end_of_a_long_pending_list(engine: Engine) -> None:
    engine.registry.add(echo)
    await engine.manager.create_all([SUBMISSION] * 350)
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    assert len((await queue.claim("dead", 350)).claims) == 350
    found: set[str] = set()

    async def all_found() -> bool:
        claims = await queue.rescue("alive", idle_seconds=0.0, pace_seconds=0.001, most=100)
        found.update(claim.job_id for claim in claims)
        return len(found) == 350

    await wait_until(all_found)
    await pipeline.close()


async def test_a_fleet_sweeps_no_more_often_than_one_worker_would(engine: Engine) -> None:
    engine.registry.add(echo)
    await engine.manager.create_all([SUBMISSION] * 2)
    pipeline = Pipeline(engine.connection())
    queue = Queue(pipeline)
    await queue.claim("dead", 2)
    assert await queue.rescue("a", idle_seconds=0.0, pace_seconds=60.0)
    assert not await queue.rescue("b", idle_seconds=0.0, pace_seconds=60.0)
    await pipeline.close()


async def test_a_job_of_very_many_items_is_read_whole(engine: Engine) -> None:
    """More than Lua's stack takes at once."""
    go_on = asyncio.Event()

    @job_type("many")
    async def many(ctx: JobContext[Anything]) -> int:
        await asyncio.gather(*(ctx.save_item(index, {"n": index}) for index in range(5_000)))
        await go_on.wait()
        return 1

    await engine.worker(many)
    job = await engine.manager.create("many", {"value": 1})

    async def all_there() -> bool:
        return len(json.loads(await engine.manager.read(job.id))["items"]) == 5_000

    await wait_until(all_there)
    go_on.set()
    await engine.ended(job.id)
