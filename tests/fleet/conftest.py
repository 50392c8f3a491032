"""A Redis that a test may kill, and workers that are real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.redis import EmbeddedRedis
from loresmith.jobs import Job, JobManager, JobRegistry
from loresmith.jobs.connection import Connections
from tests.fleet.worker_process import work
from tests.loaded import Child, Loaded
from tests.waiting import wait_until


@dataclass
class Process:
    """A worker process; frozen and killed by signals."""

    child: asyncio.subprocess.Process | Child

    def send(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    @property
    def alive(self) -> bool:
        return self.child.returncode is None


@dataclass
class Fleet:
    """A Redis of one's own, a manager, a ledger, and worker processes."""

    redis: EmbeddedRedis
    loaded: Loaded
    ledger: Path
    stack: AsyncExitStack
    processes: list[Process] = field(default_factory=list[Process])

    def __post_init__(self) -> None:
        self.client: Any = Connections(self.redis.url).client()
        self.stack.push_async_callback(self.client.aclose)
        self.manager = JobManager(redis=self.client, registry=JobRegistry().add(work))

    async def worker(self, *, lease_seconds: float = 1.0, release: Path | None = None) -> Process:
        """Start a worker of this release, or of the one whose package is in the folder `release`."""
        words = ("-m", "tests.fleet.worker_process", self.redis.url, str(self.ledger), str(lease_seconds))
        child = await (self._of_release(release, *words) if release else self.loaded.run(*words))
        assert child.stdout
        assert await child.stdout.readline() == b"ready\n"
        self.processes.append(Process(child))
        return self.processes[-1]

    async def _of_release(self, release: Path, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(release)}
        )

    def freeze_redis(self) -> None:
        os.kill(self.redis.pid or 0, signal.SIGSTOP)

    def thaw_redis(self) -> None:
        os.kill(self.redis.pid or 0, signal.SIGCONT)

    def kill_redis(self) -> None:
        """Kill the server; its supervisor starts it again on the same data."""
        os.kill(self.redis.pid or 0, signal.SIGKILL)

    def lines(self, what: str) -> list[str]:
        """The lines of the ledger that end with `what`."""
        text = self.ledger.read_text() if self.ledger.exists() else ""
        return [line for line in text.splitlines() if line.endswith(what)]

    async def ended(self, job_id: str, *, seconds: float = 30.0) -> Job:
        async def done() -> Job | None:
            job = await self.manager.get(job_id)
            return job if job.done else None

        job = await wait_until(done, seconds=seconds)
        assert job
        return job

    async def stop(self) -> None:
        for process in self.processes:
            if process.alive:
                process.send(signal.SIGCONT)
                process.send(signal.SIGKILL)
            await process.child.communicate()


@pytest.fixture
async def fleet(short_tmp: Path, loaded: Loaded) -> AsyncIterator[Fleet]:
    data_dir = DataDir(short_tmp)
    await data_dir.open()
    redis = EmbeddedRedis(data_dir)
    await redis.start()
    async with AsyncExitStack() as stack:
        fleet = Fleet(redis, loaded, short_tmp / "ledger", stack)
        yield fleet
        await fleet.stop()
    await redis.stop()
    data_dir.close()
