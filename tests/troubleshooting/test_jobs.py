"""Rows about jobs that stand still, fail or are gone."""

from __future__ import annotations

import asyncio
import shutil
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

import loresmith
from loresmith.jobs import keys
from tests.chaos.children import ROOT
from tests.e2e.conftest import FAKE, Process, Run, Start, free_port, is_ready, process_of
from tests.troubleshooting.conftest import Lore, Row, answering, http_answer
from tests.waiting import wait_until

pytestmark = pytest.mark.long  # each starts LoreSmith once or twice


async def test_stuck_at_20(row: Row, start: Start) -> None:
    port = str(free_port())
    run = await start(model="fake?stall_rate=1&seconds=0.2", port=port)
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    url = f"http://127.0.0.1:{port}"
    await row.until_told("state      running, …", "show", job_id, url=url)
    await row.loresmith("doctor", port=port)
    await row.loresmith("cancel", job_id, url=url)
    assert (await run.ended(job_id))["state"] == "cancelled"
    await run.stop()
    again = await start(port=port)
    await row.loresmith("retry", job_id, url=url)
    [newest] = (await again.http.get("/jobs", params={"limit": 1})).json()["data"]
    assert newest["retry_of"] == job_id
    assert (await again.ended(newest["id"]))["status"] == "completed"
    row.judge()


async def test_no_such_job(row: Row, start: Start, redis_url: str, redis: Any) -> None:
    run = await start(redis_url=redis_url)
    job_id = await run.submit()
    await run.ended(job_id)
    await redis.pexpire(keys.document(job_id), 1)  # as it does 24 h after the end

    async def is_gone() -> bool:
        return (await row.get(run, f"/jobs/{job_id}")).status_code == 404

    await wait_until(is_gone)
    await row.loresmith("show", job_id, url=str(run.http.base_url))
    assert row.codes[-1] == 3
    assert (await run.ended(await run.submit()))["status"] == "completed"
    row.judge()


async def test_wrong_field(row: Row, start: Start) -> None:
    run = await start()
    url = str(run.http.base_url)
    answer = await run.http.post("/jobs", json={"type": "create_world", "payload": {"theme": "fantasy"}})
    assert answer.status_code == 400
    row.saw(answer.json()["detail"])
    await row.loresmith("submit", "create_world", "theme=fantasy", url=url)
    assert row.codes[-1] == 2
    await row.loresmith("types", "create_world", url=url)
    await row.loresmith("submit", "create_world", "theme=fantasy", "user_id=7", url=url)
    assert row.codes[-1] == 0
    row.judge()


async def test_no_worker(row: Row, redis_url: str, lore: Lore) -> None:
    port, address = str(free_port()), f"127.0.0.1:{free_port()}"
    settings = {"redis_url": redis_url, "port": port, "lore_url": address}
    await lore(address)
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(process_of(row.data_dir, "serve", **settings))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        await wait_until(lambda: is_ready(served, http), seconds=50)
        run = Run(served, http)
        job_id = await run.submit()
        await row.loresmith("show", job_id, url=str(http.base_url))
        await row.until_told("1 job waits", "doctor", **settings)
        await stack.enter_async_context(process_of(row.data_dir, "worker", **settings))
        assert (await run.ended(job_id, seconds=50))["status"] == "completed"
    row.judge()


async def test_queue_paused(row: Row, start: Start) -> None:
    port = str(free_port())
    run = await start(port=port)
    url = f"http://127.0.0.1:{port}"
    await row.loresmith("pause", url=url)
    job_id = await run.submit()
    await row.loresmith("show", job_id, url=url)
    await row.until_told("1 job waits", "doctor", port=port)
    await row.loresmith("stats", url=url)
    await row.loresmith("resume", "default", url=url)
    assert (await run.ended(job_id))["status"] == "completed"
    row.judge()


async def test_all_slots_taken(row: Row, start: Start) -> None:
    port = str(free_port())
    settings = {"port": port, "model": "fake?seconds=60&tokens=20", "worker_concurrency": "1"}
    run = await start(**settings)
    ids = [await run.submit(1) for _ in range(3)]
    await wait_until(lambda: run.is_processing(ids[0]))
    await row.loresmith("show", ids[2], url=str(run.http.base_url))
    await row.until_told("1 worker, 1 of 1 slots taken, 2 jobs wait", "doctor", **settings)
    await run.stop()
    again = await start(**{**settings, "model": "fake?seconds=1&tokens=20", "worker_concurrency": "8"})
    for job_id in ids:
        assert (await again.ended(job_id))["status"] == "completed"
    row.judge()


async def test_model_key_refused(row: Row, start: Start) -> None:
    async with answering(lambda _: http_answer("401 Unauthorized", '{"error":{"message":"no"}}')) as port:
        base_url = f"http://127.0.0.1:{port}/v1"
        run = await start(model="openai-compatible:some", model_base_url=base_url, model_api_key="wrong")
        job_id = await run.submit(1)
        assert (await run.ended(job_id))["status"] == "failed"
        url = str(run.http.base_url)
        await row.loresmith("show", job_id, url=url)
        await run.stop()
    again = await start()
    await row.loresmith("retry", job_id, url=str(again.http.base_url))
    assert row.codes[-1] == 0
    row.judge()


async def test_model_away(row: Row, start: Start) -> None:
    base_url = f"http://127.0.0.1:{free_port()}/v1"
    run = await start(model="openai-compatible:some", model_base_url=base_url)
    url = str(run.http.base_url)
    job_id = await run.submit(1)
    await row.until_told("Waiting for the model service", "show", job_id, url=url)
    await run.stop()
    again = await start(model_fallbacks=FAKE, model="openai-compatible:some", model_base_url=base_url)
    assert (await again.ended(job_id, seconds=90))["status"] == "completed"
    row.judge()


async def test_budget_used_up(row: Row, start: Start) -> None:
    run = await start(budget_job_tokens="100")
    job_id = await run.submit()
    assert (await run.ended(job_id))["status"] == "failed"
    await row.loresmith("show", job_id, url=str(run.http.base_url))
    await run.stop()
    again = await start(budget_job_tokens="100000")
    await row.loresmith("retry", job_id, url=str(again.http.base_url))
    [newest] = (await again.http.get("/jobs", params={"limit": 1})).json()["data"]
    assert (await again.ended(newest["id"]))["status"] == "completed"
    row.judge()


async def test_older_worker(
    row: Row, redis_url: str, lore: Lore, short_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = short_tmp / "release"
    shutil.copytree(
        Path(loresmith.__file__).parent, release / "loresmith", ignore=shutil.ignore_patterns("__pycache__", "page")
    )
    shutil.copy(ROOT / "examples" / "generate_quests.py", release / "loresmith" / "job_types")
    port, address = str(free_port()), f"127.0.0.1:{free_port()}"
    settings = {"redis_url": redis_url, "port": port, "lore_url": address}
    await lore(address)
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(process_of(row.data_dir, "worker", **settings))
        monkeypatch.setenv("PYTHONPATH", str(release))
        served = await stack.enter_async_context(process_of(row.data_dir, "serve", **settings))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        await wait_until(lambda: is_ready(served, http), seconds=50)
        run = Run(served, http)
        job_id = await run.submit_type("generate_quests", {"theme": "fantasy", "count": 1})
        assert old.stdout is not None
        assert old.stderr is not None
        log = await _line_with(old, "no such job type")
        row.saw(log)
        url = str(http.base_url)
        await row.until_told("Waiting for a worker that knows the job type", "show", job_id, url=url)
        await row.loresmith("doctor", **settings)
        await row.until_told("no running worker knows", "stats", url=url)
        await row.get(run, "/readyz")
        await stack.enter_async_context(process_of(row.data_dir, "worker", **settings))
        old.send_signal(signal.SIGTERM)
        assert (await run.ended(job_id, seconds=50))["status"] == "completed"
    row.judge()


async def _line_with(process: Process, told: str) -> str:
    """Return the first line of a process's log that has this text."""
    assert process.stderr is not None
    async with asyncio.timeout(50):
        while told not in (line := (await process.stderr.readline()).decode()):
            assert line, "the process ended"
    return line
