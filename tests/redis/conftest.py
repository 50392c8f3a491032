"""An engine on a real Redis: a manager and as many workers as a test starts."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from loresmith.bootstrap import connect
from loresmith.jobs import Job, JobManager, JobRegistry, JobType, Worker
from loresmith.jobs.connection import Connections
from tests.pacing import QUICK
from tests.waiting import wait_until


@dataclass
class Engine:
    """A manager, its registry, and a way to start workers that end with the test."""

    url: str
    stack: AsyncExitStack
    registry: JobRegistry = field(default_factory=JobRegistry)

    def __post_init__(self) -> None:
        self.manager = self.new_manager()

    def new_manager(self, **options: Any) -> JobManager:
        return JobManager(redis=self.connection(), registry=self.registry, **options)

    def connection(self) -> Any:
        client = connect(self.url)
        self.stack.push_async_callback(client.aclose)
        return client

    async def worker(self, *types: JobType, **options: Any) -> Worker:
        """Start a worker that knows these job types; it drains when the test ends."""
        self.registry.add(*types)
        return await self.stack.enter_async_context(_running(self._new_worker(options)))

    def _new_worker(self, options: dict[str, Any]) -> Worker:
        defaults: dict[str, Any] = {"resources": {}, "grace_seconds": 0.0, "lease_seconds": 2.0, "pacing": QUICK}
        return Worker(connections=Connections(self.url), registry=self.registry, **{**defaults, **options})

    async def ended(self, job_id: str, *, seconds: float = 20.0) -> Job:
        """Return the job once it is done."""

        async def done() -> Job | None:
            job = await self.manager.get(job_id)
            return job if job.done else None

        job = await wait_until(done, seconds=seconds)
        assert job is not None
        return job


@asynccontextmanager
async def _running(worker: Worker) -> AsyncGenerator[Worker]:
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        worker.stop()
        await task


@pytest.fixture
async def engine(redis_url: str) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        yield Engine(redis_url, stack)
