"""Failures that comparable systems have, provoked on real processes and a real Redis."""

import asyncio
import signal
import time
from pathlib import Path

import msgspec

from loresmith.jobs import Status
from tests.fleet.conftest import Fleet
from tests.waiting import wait_until


async def test_a_job_that_runs_at_sigterm_is_finished_and_started_once(fleet: Fleet, short_tmp: Path) -> None:
    first = await fleet.worker()
    job = await fleet.manager.create("work", {"wait_for": str(short_tmp / "go")})
    await wait_until(lambda: fleet.lines("started"))
    await fleet.worker()
    first.send(signal.SIGTERM)
    later = await fleet.manager.create("work", {"seconds": 3.0})  # three leases, on the other worker
    assert (await fleet.ended(later.id)).status is Status.COMPLETED
    (short_tmp / "go").touch()
    ended = await fleet.ended(job.id)
    assert (ended.status, ended.rescues) == (Status.COMPLETED, 0)
    assert len(fleet.lines("started")) == 2
    assert await asyncio.wait_for(first.child.wait(), 10) == 0


async def test_a_result_computed_while_redis_is_away_is_kept(fleet: Fleet, short_tmp: Path) -> None:
    worker = await fleet.worker()
    other = await fleet.worker()
    job = await fleet.manager.create("work", {"wait_for": str(short_tmp / "go")})
    await wait_until(lambda: fleet.lines("started"))
    fleet.freeze_redis()
    (short_tmp / "go").touch()
    await wait_until(lambda: fleet.lines("finished"))
    frozen_at = time.monotonic()
    await wait_until(lambda: time.monotonic() - frozen_at > 3.0)  # three leases
    fleet.thaw_redis()
    ended = await fleet.ended(job.id)
    assert msgspec.json.decode(ended.result)["run"] == 1
    assert len(fleet.lines("started")) == 1
    assert worker.alive
    assert other.alive


async def test_a_worker_frozen_past_its_lease_writes_nothing_when_it_wakes(fleet: Fleet, short_tmp: Path) -> None:
    frozen = await fleet.worker()
    job = await fleet.manager.create("work", {"wait_for": str(short_tmp / "go")})
    await wait_until(lambda: fleet.lines("started"))
    await fleet.worker()
    frozen.send(signal.SIGSTOP)
    await wait_until(lambda: len(fleet.lines("started")) == 2)
    (short_tmp / "go").touch()
    ended = await fleet.ended(job.id)
    frozen.send(signal.SIGCONT)
    probe = await fleet.manager.create("work", {})
    await fleet.ended(probe.id)
    frozen.send(signal.SIGTERM)
    await frozen.child.wait()
    now = await fleet.manager.get(job.id)
    assert (now.seq, now.result, now.rescues) == (ended.seq, ended.result, 1)
    assert msgspec.json.decode(now.result)["run"] == 2


async def test_a_job_of_a_killed_worker_runs_again_within_15_s_on_an_idle_queue(fleet: Fleet) -> None:
    await fleet.worker(lease_seconds=10.0)
    await fleet.worker(lease_seconds=10.0)
    job = await fleet.manager.create("work", {"items": 3, "seconds": 3600})
    await wait_until(lambda: fleet.client.hexists(f"{{job:{job.id}}}:items", "0"))
    lease = (await fleet.client.get(f"{{job:{job.id}}}:lease")).decode()
    next(one for one in fleet.processes if f"-{one.child.pid}-" in lease).send(signal.SIGKILL)
    await wait_until(lambda: len(fleet.lines("started")) == 2, seconds=15.0)
    assert len(fleet.lines("item 0")) == 1  # checkpointed: not generated again


async def test_a_cancel_is_seen_although_the_subscription_was_cut(fleet: Fleet) -> None:
    await fleet.worker()
    job = await fleet.manager.create("work", {"seconds": 3600})
    await wait_until(lambda: fleet.lines("started"))
    await fleet.client.client_kill_filter(_type="pubsub")
    await fleet.manager.cancel(job.id)
    ended = await fleet.ended(job.id, seconds=5.0)
    assert ended.state == "cancelled"


async def test_redis_killed_under_load_loses_nothing_and_doubles_nothing(fleet: Fleet) -> None:
    worker = await fleet.worker()
    jobs = [await fleet.manager.create("work", {"seconds": 1.0, "items": 2}) for _ in range(60)]
    await wait_until(lambda: len(fleet.lines("item 0")) == 60)
    pid = fleet.redis.pid
    fleet.kill_redis()
    await wait_until(lambda: fleet.redis.pid not in (None, pid))
    results = [msgspec.json.decode((await fleet.ended(job.id)).result) for job in jobs]
    assert results == [{"run": 1, "items": [0, 1]}] * 60
    assert len(fleet.lines("finished")) == 60
    assert worker.alive


async def test_forgotten_scripts_are_loaded_again(fleet: Fleet) -> None:
    await fleet.worker()
    first = await fleet.manager.create("work", {"items": 2, "seconds": 0.5})
    await fleet.client.script_flush()
    second = await fleet.manager.create("work", {"items": 2})
    assert (await fleet.ended(first.id)).status is Status.COMPLETED
    assert (await fleet.ended(second.id)).status is Status.COMPLETED


async def test_full_load_waits_for_connections_and_loses_nothing(fleet: Fleet) -> None:
    await fleet.worker(lease_seconds=10.0)
    jobs = await asyncio.gather(*(fleet.manager.create("work", {"items": 1}) for _ in range(1000)))
    await fleet.ended(jobs[-1].id)
    ends = await asyncio.gather(*(fleet.ended(job.id) for job in jobs))
    assert {job.status for job in ends} == {Status.COMPLETED}
    assert len(fleet.lines("finished")) == 1000
