"""A job type that no running worker knows is named wherever an operator or a submitter looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from loresmith.bootstrap import connect
from loresmith.cli.checkup import Level
from loresmith.cli.checkup_queue import judge_queue
from loresmith.client.models import Stats
from loresmith.jobs import JobRegistry, Worker
from loresmith.jobs.connection import Connections
from tests.api.conftest import job_of, play, submitted, write_verses
from tests.waiting import wait_until


@asynccontextmanager
async def working(redis_url: str, registry: JobRegistry) -> AsyncGenerator[None]:
    """A worker that knows these job types."""
    worker = Worker(connections=Connections(redis_url), registry=registry, resources={}, grace_seconds=0.0)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        worker.stop()
        await task


@pytest.fixture
def registry() -> JobRegistry:
    return JobRegistry().add(write_verses, play)


async def _unknown(api: httpx2.AsyncClient) -> list[str]:
    answer = await api.get("/readyz")
    assert answer.status_code == 200
    return answer.json()["unknown_types"]


async def test_a_type_that_no_worker_knows_is_named(api: httpx2.AsyncClient, redis_url: str) -> None:
    assert await _unknown(api) == []
    async with working(redis_url, JobRegistry().add(write_verses)):
        await wait_until(lambda: _unknown(api))
        assert await _unknown(api) == ["play"]
        job_id = await submitted(api)

        async def waits_for_it() -> bool:
            return "knows the job type 'play'" in (await job_of(api, job_id))["message"]

        await wait_until(waits_for_it)

        async def counted() -> bool:
            return bool((await api.get("/stats")).json()["unknown_types"])

        await wait_until(counted)
        figures = (await api.get("/stats")).json()
        assert figures["unknown_types"] == ["play"]
        assert [one["types"] for one in figures["workers"]] == [["write_verses"]]
        async with working(redis_url, JobRegistry().add(write_verses, play)):

            async def is_known() -> bool:
                return await _unknown(api) == []

            await wait_until(is_known)


async def test_a_worker_that_does_not_say_may_know_all(api: httpx2.AsyncClient, redis_url: str) -> None:
    async with working(redis_url, JobRegistry().add(write_verses)):
        await wait_until(lambda: _unknown(api))
        await _forget_types(redis_url)
        assert await _unknown(api) == []


async def _forget_types(redis_url: str) -> None:
    """Make every worker one of an older release."""
    redis: Any
    async with connect(redis_url) as redis:
        async for name in redis.scan_iter(match="worker:*"):
            await redis.hdel(name, "types")


def test_the_doctor_names_it() -> None:
    worker = {"id": "a", "concurrency": 3}
    found = judge_queue(Stats.of({"workers": [worker], "unknown_types": ["new", "newer"]}))
    assert found.level is Level.WRONG
    assert found.found == "no running worker knows the job types 'new', 'newer'"
    assert "start workers of this release" in found.advice
