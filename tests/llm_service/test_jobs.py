"""A job from the engine through gRPC to the provider: cancel, budget, owner and usage arrive at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from loresmith.bootstrap import classify
from loresmith.generation import generate
from loresmith.jobs import Job, JobContext, JobManager, JobRegistry, State, Worker, job_type
from loresmith.jobs.connection import Connections
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import LoreModel
from loresmith.llm_service.budgets import Budget, Budgets
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from tests.llm_service.openai_server import OpenAIServer, goes_silent, says
from tests.llm_service.orders import VALID
from tests.waiting import wait_until


class Nothing(BaseModel):
    """An empty payload."""


class Knight(BaseModel):
    """An object to write."""

    name: str
    traits: list[str]
    health: int


@job_type("write_a_knight")
async def write_a_knight(ctx: JobContext[Nothing]) -> Knight:
    return await generate(ctx, Knight, "A knight.", max_output_tokens=200)


@dataclass
class Works:
    """A manager with a worker whose model is behind a real lore service."""

    manager: JobManager

    async def submit(self) -> str:
        return (await self.manager.create("write_a_knight", {})).id

    async def ended(self, job_id: str) -> Job:
        async def done() -> Job | None:
            job = await self.manager.get(job_id)
            return job if job.done else None

        job = await wait_until(done)
        assert job is not None
        return job


@pytest.fixture
async def works(redis_url: str, openai: OpenAIServer) -> AsyncIterator[Works]:
    provider = find_provider("openai-compatible:knight-1", base_url=openai.url)
    server = LoreServer(Route([provider], budgets=Budgets(None, Budget(tokens=1000))))
    registry = JobRegistry().add(write_a_knight)
    connections = Connections(redis_url)
    async with AsyncExitStack() as stack:
        model = GrpcLoreModel(f"127.0.0.1:{await server.start('127.0.0.1:0')}")
        stack.push_async_callback(server.stop)
        stack.push_async_callback(model.close)
        resources = {LoreModel: model}
        worker = Worker(connections=connections, registry=registry, resources=resources, classify=classify)
        running = asyncio.create_task(worker.run())
        client = await stack.enter_async_context(connections.client())
        yield Works(JobManager(redis=client, registry=registry))
        worker.stop()
        worker.stop()
        await running


async def test_a_cancelled_job_closes_the_connection_to_the_provider_within_2_s(
    works: Works, openai: OpenAIServer
) -> None:
    openai.answers = [goes_silent]
    job_id = await works.submit()
    exchange = await openai.request_number(1)
    assert not exchange.disconnected.is_set()

    async def writes() -> bool:
        usage = (await works.manager.get(job_id)).usage
        return usage is not None and usage.in_flight is not None

    await wait_until(writes)
    await works.manager.cancel(job_id)
    async with asyncio.timeout(2):
        await exchange.disconnected.wait()
    job = await works.ended(job_id)
    assert job.state is State.CANCELLED
    assert job.usage
    assert job.usage.wasted
    assert job.usage.output_tokens == job.usage.wasted.output_tokens > 0
    assert job.usage.input_tokens == job.usage.wasted.input_tokens > 0


async def test_a_job_whose_owner_has_used_up_the_day_fails_in_words(works: Works, openai: OpenAIServer) -> None:
    openai.answers = [says(VALID, tokens=400)]
    jobs = [await works.ended(await works.submit()) for _ in range(3)]
    assert [job.state for job in jobs] == [State.COMPLETED, State.COMPLETED, State.FAILED]
    refused = jobs[-1]
    assert refused.error == "Your budget of 1,000 tokens a day is used up; it starts anew at midnight UTC"
    assert refused.error_detail
    assert (refused.error_detail.code, refused.error_detail.retryable) == ("budget_exceeded", False)
    assert refused.attempt == 1
    assert len(openai.exchanges) == 2
