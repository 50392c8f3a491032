"""`loresmith run` from outside: start, jobs, stop, sudden death."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import Start, running, spawn
from tests.processes import gone
from tests.waiting import wait_until


async def test_a_job_runs_from_submit_to_result(short_tmp: Path) -> None:
    async with running(short_tmp / "data") as run:
        job = await run.ended(await run.submit())
    assert job["status"] == "completed"
    assert len({item["name"] for item in job["result"]}) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_everything_within_5_seconds(start: Start, number: signal.Signals) -> None:
    run = await start(model="fake?seconds=60&tokens=100")
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    children = run.children
    assert {child.name() for child in children} >= {"valkey-server"}
    code, seconds = await run.stop(number)
    assert code == 0
    assert seconds < 5
    assert all(map(gone, children))
    out, err = await run.process.communicate()
    assert "Stopping" in out.decode()
    assert "Traceback" not in err.decode()


async def test_a_signal_stops_everything_although_redis_hangs(start: Start) -> None:
    run = await start(model="fake?seconds=60&tokens=100")
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    children = run.children
    [valkey] = [child for child in children if child.name() == "valkey-server"]
    valkey.suspend()
    code, seconds = await run.stop(signal.SIGINT)
    assert code == 1
    assert seconds < 5
    await wait_until(lambda: all(map(gone, children)))
    assert "Traceback" not in (await run.process.communicate())[1].decode()


async def test_a_run_that_has_just_started_stops_in_a_moment(start: Start) -> None:
    run = await start()
    code, seconds = await run.stop(signal.SIGINT)
    assert (code, (await run.process.communicate())[1]) == (0, b"")
    assert seconds < 2


async def test_a_second_signal_stops_at_once(start: Start) -> None:
    run = await start(model="fake?seconds=60&tokens=100")
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    run.process.send_signal(signal.SIGINT)
    assert run.process.stdout is not None
    await run.process.stdout.readuntil(b"Stopping")
    code, seconds = await run.stop(signal.SIGINT)
    assert code == 0
    assert seconds < 2


async def test_a_signal_during_the_start_stops_it(short_tmp: Path) -> None:
    process = await spawn(short_tmp / "data", "run")
    await wait_until((short_tmp / "data" / "redis.sock").exists, seconds=30)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode == 0
    assert err == b""
    assert not (short_tmp / "data" / "redis.sock").exists()


async def test_a_killed_run_leaves_no_orphans_and_loses_no_job(start: Start) -> None:
    run = await start(model="fake?seconds=60&tokens=100")
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    children = run.children
    run.process.kill()
    await run.process.wait()
    await wait_until(lambda: all(map(gone, children)), seconds=5)
    again = await start()
    assert (await again.ended(job_id))["status"] == "completed"


async def test_a_restart_keeps_what_is_done_and_continues_the_rest(start: Start) -> None:
    run = await start(model="fake?seconds=2&tokens=40&slots=3")
    first = await run.ended(await run.submit())
    waiting = [await run.submit() for _ in range(2)]
    await run.stop()
    again = await start()
    assert (await again.job(first["id"]))["result"] == first["result"]
    for job_id in waiting:
        assert (await again.ended(job_id))["status"] == "completed"


async def test_a_dead_redis_comes_back_and_the_job_completes(start: Start) -> None:
    run = await start(model="fake?seconds=3&tokens=100")
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    [valkey] = [child for child in run.children if child.name() == "valkey-server"]
    valkey.kill()
    await wait_until(lambda: gone(valkey))
    assert (await run.ended(job_id))["status"] == "completed"
