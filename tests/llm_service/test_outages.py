"""Jobs whose lore service or provider is away, from the engine through gRPC to the provider, with short pauses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from loresmith.bootstrap import classify
from loresmith.jobs import Job, JobManager, JobRegistry, Options, Worker
from loresmith.jobs.connection import Connections
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import LoreModel
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.server import LoreServer
from tests.llm_service.openai_server import OpenAIServer, fails, goes_silent, says
from tests.llm_service.orders import VALID
from tests.llm_service.test_jobs import write_a_knight
from tests.pacing import QUICK
from tests.waiting import wait_until

JOBS = 200


@dataclass
class Site:
    """A manager, a worker with few slots, and a lore service that can be stopped and started again."""

    manager: JobManager
    openai: OpenAIServer
    address: str = "127.0.0.1:0"
    servers: list[LoreServer] = field(default_factory=list[LoreServer])

    async def start_lore(self) -> None:
        server = LoreServer(find_provider("openai-compatible:knight-1", base_url=self.openai.url))
        self.address = f"127.0.0.1:{await server.start(self.address)}"
        self.servers.append(server)

    async def stop_lore(self) -> None:
        await self.servers[-1].stop()

    async def submit(self, count: int = 1) -> list[str]:
        one: tuple[str, object, Options] = ("write_a_knight", {}, Options())
        jobs = await self.manager.create_all([one] * count)
        return [job.id for job in jobs]

    async def jobs(self, ids: list[str]) -> list[Job]:
        return [await self.manager.get(job_id) for job_id in ids]

    async def all_wait(self, ids: list[str]) -> list[Job] | None:
        jobs = await self.jobs(ids)
        return jobs if all(job.state == "retrying" for job in jobs) else None

    async def all_completed(self, ids: list[str]) -> list[Job] | None:
        jobs = await self.jobs(ids)
        return jobs if all(job.status == "completed" for job in jobs) else None


@pytest.fixture
async def site(redis_url: str, openai: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr("loresmith.jobs.worker._DUE_SECONDS", 0.05)
    connections = Connections(redis_url)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connections.client())
        site = Site(JobManager(redis=client, registry=JobRegistry().add(write_a_knight)), openai)
        await site.start_lore()
        model = GrpcLoreModel(site.address, connect_seconds=0.2)
        stack.push_async_callback(model.close)
        worker = Worker(
            connections=connections,
            registry=JobRegistry().add(write_a_knight),
            resources={LoreModel: model},
            classify=classify,
            concurrency=20,
            pacing=QUICK,
        )
        running = asyncio.create_task(worker.run())
        yield site
        worker.stop()
        worker.stop()
        await running
        for server in site.servers:
            await server.stop()


async def test_200_jobs_wait_for_a_provider_that_is_asked_a_few_times(site: Site) -> None:
    site.openai.answers = [fails("500 Internal Server Error")]
    ids = await site.submit(JOBS)
    jobs = await wait_until(lambda: site.all_wait(ids), seconds=60)
    assert jobs is not None
    calls = len(site.openai.exchanges)
    assert calls <= 8 + 4, "those that had a slot when it went away, and some probes"
    assert {job.attempt for job in jobs} == {1}
    assert {job.message.partition(": ")[0] for job in jobs} == {"Waiting for the model service"}
    site.openai.answers = [says(VALID)]
    done = await wait_until(lambda: site.all_completed(ids), seconds=90)
    assert done is not None
    assert {job.attempt for job in done} == {1}
    assert len(site.openai.exchanges) <= calls + JOBS + 8


async def test_jobs_wait_for_a_provider_that_refuses_connections(site: Site) -> None:
    site.openai.answers = [says(VALID)]
    await site.openai.stop()
    ids = await site.submit(5)
    await wait_until(lambda: site.all_wait(ids))
    await site.openai.start()
    done = await wait_until(lambda: site.all_completed(ids), seconds=30)
    assert done is not None
    assert {job.attempt for job in done} == {1}


async def test_jobs_wait_for_a_lore_service_that_is_down(site: Site) -> None:
    site.openai.answers = [says(VALID)]
    await site.stop_lore()
    ids = await site.submit(40)
    jobs = await wait_until(lambda: site.all_wait(ids))
    assert jobs is not None
    assert (
        jobs[0].message == f"Waiting for the model service: the lore service could not be reached at {site.address!r}"
    )
    await site.start_lore()
    done = await wait_until(lambda: site.all_completed(ids), seconds=60)
    assert done is not None
    assert {job.attempt for job in done} == {1}


async def test_a_call_that_its_lore_service_dies_under_costs_one_attempt(site: Site) -> None:
    site.openai.answers = [goes_silent, says(VALID)]
    ids = await site.submit()
    await site.openai.request_number(1)
    await site.stop_lore()
    await wait_until(lambda: site.all_wait(ids))
    await site.start_lore()
    done = await wait_until(lambda: site.all_completed(ids), seconds=60)
    assert done is not None
    assert [job.attempt for job in done] == [2]


async def test_a_wait_is_as_long_as_the_provider_asks(site: Site) -> None:
    """The pauses of the worker are 0.2 s at the most here."""
    site.openai.answers = [fails("503 Service Unavailable", Retry_After="2"), says(VALID)]
    clock = asyncio.get_running_loop().time
    ids = await site.submit()
    await site.openai.request_number(1)
    refused = clock()
    await site.openai.request_number(2)
    assert clock() - refused >= 1.9
    await wait_until(lambda: site.all_completed(ids))
