"""`serve`, `worker` and `lore` as processes of their own, on one Redis."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2

from tests.e2e.conftest import Run, free_port, is_ready, process_of
from tests.waiting import wait_until


async def test_a_job_goes_through_three_processes(short_tmp: Path, redis_url: str) -> None:
    port, lore = str(free_port()), f"127.0.0.1:{free_port()}"
    data_dir = short_tmp / "data"
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(process_of(data_dir, "worker", redis_url=redis_url, lore_url=lore))
        served = await stack.enter_async_context(process_of(data_dir, "serve", redis_url=redis_url, port=port))
        model = await stack.enter_async_context(process_of(data_dir, "lore", lore_listen=lore))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        await wait_until(lambda: is_ready(served, http), seconds=50)
        run = Run(served, http)
        assert (await run.ended(await run.submit()))["status"] == "completed"
        for process in (worker, served, model):
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert [await process.wait() for process in (worker, served, model)] == [0, 0, 0]
    assert [path.name for path in data_dir.iterdir()] == ["loresmith.sqlite3"]
