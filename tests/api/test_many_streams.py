"""Many streams and slow ones: they cost no connection to Redis, and nobody waits for somebody else."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from loresmith.jobs import JobManager, Worker
from tests.api.conftest import job_of, reached, submitted
from tests.api.sse import Answer, State, follow, get
from tests.waiting import wait_until

Cue = Callable[[str], asyncio.Event]
Address = tuple[str, int]
MANY = 1_000


async def _last_of(answer: Answer) -> dict[str, Any]:
    told = [one async for one in answer.events()][-1]
    answer.close()
    return told.data


async def test_a_thousand_idle_streams_cost_one_connection_and_all_hear_the_end(
    address: Address, remote: httpx2.AsyncClient, manager: JobManager, redis: Any
) -> None:
    ids = [await submitted(remote) for _ in range(20)]
    before = len(await redis.client_list())
    answers = [await get(address, f"/jobs/{ids[place % 20]}/events") for place in range(MANY)]
    assert {answer.status for answer in answers} == {200}
    assert len(list(manager._events._all())) == MANY
    subscribers = [client for client in await redis.client_list() if int(client["sub"]) > 0]
    assert [int(client["sub"]) for client in subscribers] == [20]
    assert len(await redis.client_list()) - before <= 2  # the subscription, and perhaps one of the pipeline
    for job_id in ids:
        assert (await remote.post(f"/jobs/{job_id}/cancel")).status_code == 200
    ends = await asyncio.gather(*(_last_of(answer) for answer in answers))
    assert {end["state"] for end in ends} == {"cancelled"}
    await wait_until(lambda: not manager._events._channels)


async def test_a_slow_reader_holds_up_nobody_and_starts_anew(
    address: Address,
    remote: httpx2.AsyncClient,
    worker: Worker,
    manager: JobManager,
    cue: Cue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("run", "executor"):  # more than a job may make, and than sockets hold
        monkeypatch.setattr(f"loresmith.jobs.{module}.LARGEST_RESULT_BYTES", 16 * 1024 * 1024)
    go = cue("go")
    job_id = await submitted(remote, "wait:go", *(f"big:{i}" for i in range(120)))
    await reached(remote, job_id, "running")
    slow = await get(address, f"/jobs/{job_id}/events")
    fast = State()
    opened = asyncio.create_task(follow(address, job_id, fast, lambda told: told.name == "done"))
    await wait_until(lambda: fast.job)
    go.set()
    await opened
    assert len(fast.items) == 120
    late, told_items = State(), 0
    async for told in slow.events():
        late.take(told)
        told_items += told.name == "item"
    slow.close()
    assert told_items < 120  # the rest came with the whole job
    assert late.job == fast.job == await job_of(remote, job_id)
    assert late.items == fast.items
