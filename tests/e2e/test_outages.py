"""Outages of two minutes in real time, with the settings as shipped: they cost time and no job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.children import RedisChild
from tests.db.postgres import Postgres
from tests.e2e.conftest import FAKE, Run, Start, free_port, process_of
from tests.llm_service.openai_server import OpenAIServer, fails
from tests.waiting import wait_until

pytestmark = pytest.mark.long  # each takes three minutes

OUTAGE_SECONDS = 120.0
RETURN_SECONDS = 150.0
"""A pause of half a minute, two if the circuit was just probed, and the work that is left."""


async def outage() -> None:
    """Let two minutes pass: the duration is what these tests are about."""
    await asyncio.sleep(OUTAGE_SECONDS)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def wait_for_message(run: Run, job_ids: list[str], message: str) -> None:
    async def waiting() -> bool:
        jobs = [await run.job(job_id) for job_id in job_ids]
        return all(job["state"] == "retrying" and message in job["message"] for job in jobs)

    await wait_until(waiting, seconds=90)


async def all_completed(run: Run, job_ids: list[str]) -> list[dict[str, Any]]:
    jobs = [await run.ended(job_id, seconds=RETURN_SECONDS) for job_id in job_ids]
    assert [job["status"] for job in jobs] == ["completed"] * len(jobs), [job.get("error") for job in jobs]
    return jobs


async def test_a_lore_service_that_is_killed_for_two_minutes_costs_no_job(
    stack: AsyncExitStack, start: Start, redis_url: str, short_tmp: Path
) -> None:
    settings = {"lore_listen": f"127.0.0.1:{free_port()}", "model": "fake?seconds=3&tokens=60", "log_level": "error"}
    first = await stack.enter_async_context(process_of(short_tmp / "lore", "lore", **settings))
    run = await start(redis_url=redis_url, lore_url=settings["lore_listen"], worker_concurrency="4", log_level="error")
    job_ids = [await run.submit() for _ in range(4)]
    for job_id in job_ids:
        await wait_until(lambda job_id=job_id: run.is_processing(job_id))
    first.kill()
    job_ids += [await run.submit() for _ in range(4)]
    await wait_for_message(run, job_ids, "Waiting for the model service")
    await outage()
    await stack.enter_async_context(process_of(short_tmp / "lore", "lore", **settings))
    jobs = await all_completed(run, job_ids)
    assert max(job["attempt"] for job in jobs[:4]) <= 2, "the call that was cut off, and no more"
    assert {job["attempt"] for job in jobs[4:]} == {1}


async def test_a_provider_that_answers_500_for_two_minutes_costs_no_job(
    start: Start, redis_url: str, short_tmp: Path
) -> None:
    server = OpenAIServer()
    server.answers = [fails("500 Internal Server Error")]
    await server.start()
    try:
        run = await start(
            redis_url=redis_url, model="openai-compatible:some", model_base_url=server.url, log_level="error"
        )
        job_ids = [await run.submit() for _ in range(20)]
        await wait_for_message(run, job_ids, "Waiting for the model service")
        await outage()
        assert len(server.exchanges) <= 30, "those that had a slot, and probes"
        assert {(await run.job(job_id))["attempt"] for job_id in job_ids} == {1}
        await run.stop()
    finally:
        await server.stop()
    again = await start(redis_url=redis_url, model=FAKE)
    await all_completed(again, job_ids)


async def test_a_redis_that_is_killed_for_two_minutes_costs_no_job(start: Start, short_tmp: Path) -> None:
    redis = RedisChild(short_tmp, fsync="everysec")
    await redis.start()
    try:
        run = await start(redis_url=f"unix://{redis.socket}", model="fake?seconds=5&tokens=60", log_level="error")
        job_ids = [await run.submit() for _ in range(4)]
        for job_id in job_ids:
            await wait_until(lambda job_id=job_id: run.is_processing(job_id))
        await redis.kill()
        await outage()
        await redis.start()
        jobs = await all_completed(run, job_ids)
        assert {job["attempt"] for job in jobs} == {1}
    finally:
        await redis.kill()


async def test_a_postgresql_that_is_stopped_for_two_minutes_costs_no_world(
    start: Start, redis_url: str, postgres: Postgres, postgres_url: str, short_tmp: Path
) -> None:
    settings = {"redis_url": redis_url, "database_url": postgres_url, "log_level": "error"}
    async with process_of(short_tmp / "data", "migrate", **settings) as migrating:
        assert await migrating.wait() == 0
    run = await start(**settings)
    postgres.stop()
    try:
        job_id = await run.submit_type("create_world", {"theme": "fantasy", "user_id": 7})
        await wait_for_message(run, [job_id], "Waiting for the database")
        await outage()
    finally:
        postgres.start()
    [job] = await all_completed(run, [job_id])
    assert job["attempt"] == 1
