"""Rows about Redis, SQL, the lore service, clocks and the page, while everything else runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.children import ROOT, RedisChild
from tests.db.postgres import Postgres
from tests.e2e.conftest import Start, free_port
from tests.troubleshooting.conftest import Lore, Row, answering, http_answer
from tests.troubleshooting.table import shown_in
from tests.waiting import wait_until

pytestmark = pytest.mark.long  # each starts LoreSmith once or twice


@pytest.fixture
async def own_redis(short_tmp: Path) -> AsyncIterator[RedisChild]:
    """A Redis that a test may kill."""
    redis = RedisChild(short_tmp, fsync="everysec")
    await redis.start()
    yield redis
    await redis.kill()


async def test_redis_away(row: Row, start: Start, own_redis: RedisChild) -> None:
    settings = {"redis_url": f"unix://{own_redis.socket}", "port": str(free_port())}
    run = await start(model="fake?seconds=2&tokens=20", **settings)
    job_id = await run.submit()
    await wait_until(lambda: run.is_processing(job_id))
    await own_redis.kill()
    assert (await row.get(run, f"/jobs/{job_id}")).status_code == 503
    assert (await row.get(run, "/readyz")).status_code == 503
    await row.loresmith("doctor", **settings)
    await own_redis.start()
    assert (await run.ended(job_id))["status"] == "completed"
    await run.stop()
    row.judge()


async def test_memory_full(row: Row, start: Start, redis_url: str, redis: Any) -> None:
    settings = {"redis_url": redis_url, "port": str(free_port())}
    run = await start(**settings)
    try:
        await redis.config_set("maxmemory", "1mb")
        answer = await run.http.post("/jobs", json={"type": "generate_characters", "payload": {"theme": "fantasy"}})
        assert answer.status_code == 503
        row.saw(answer.text)
        await row.loresmith("doctor", **settings)
        await redis.config_set("maxmemory", "500mb")
        row.typed.append("redis-cli config set maxmemory 2gb")
        assert (await run.ended(await run.submit()))["status"] == "completed"
    finally:
        await redis.config_set("maxmemory", "0")
    row.judge()


async def test_redis_evicts(row: Row, redis_url: str, redis: Any) -> None:
    try:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        await row.loresmith("doctor", redis_url=redis_url)
        assert row.codes[-1] == 1
        await redis.config_set("maxmemory-policy", "noeviction")
        row.typed.append("redis-cli config set maxmemory-policy noeviction")
        cured = await row.loresmith("doctor", redis_url=redis_url)
        assert shown_in("ok redis memory noeviction", cured)
        assert "throws jobs away" not in cured
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
    row.judge()


async def test_redis_forgets(row: Row, redis_url: str, redis: Any) -> None:
    try:
        await redis.config_set("appendonly", "no")
        await row.loresmith("doctor", redis_url=redis_url)
        assert row.codes[-1] == 1
        await redis.config_set("appendonly", "yes")
        row.typed.append("redis-cli config set appendonly yes")
        assert "append-only file is on" in await row.loresmith("doctor", redis_url=redis_url)
    finally:
        await redis.config_set("appendonly", "yes")
    row.judge()


async def test_sql_away(row: Row, start: Start, redis_url: str, postgres: Postgres, postgres_url: str) -> None:
    settings = {"redis_url": redis_url, "database_url": postgres_url, "port": str(free_port())}
    await row.loresmith("migrate", **settings)
    run = await start(**settings)
    postgres.stop()
    try:
        assert (await run.http.get("/worlds")).status_code == 503
        assert (await row.get(run, "/readyz")).status_code == 503
        await row.loresmith("doctor", **settings)
    finally:
        postgres.start()
    job_id = await run.submit_type("create_world", {"theme": "fantasy", "user_id": 7})
    assert (await run.ended(job_id, seconds=50))["status"] == "completed"
    row.judge()


async def test_lore_away(row: Row, start: Start, redis_url: str, lore: Lore) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = {"redis_url": redis_url, "lore_url": address, "port": str(free_port())}
    server = await lore(address)
    run = await start(**settings)
    await server.stop(0.0)
    job_id = await run.submit()
    await row.until_told("Waiting for the model service", "show", job_id, url=str(run.http.base_url))
    assert (await row.get(run, "/readyz")).status_code == 503
    await row.loresmith("doctor", **settings)
    await lore(address)
    assert (await run.ended(job_id, seconds=90))["status"] == "completed"
    row.judge()


async def test_clock_skew(row: Row, redis_url: str) -> None:
    ahead = [timedelta(minutes=5), timedelta(0)]

    def answer(head: str) -> bytes:
        date = format_datetime(datetime.now(UTC) + ahead[0], usegmt=True)
        return http_answer("200 OK", '{"status":"ok","version":"9"}', more=f"Date: {date}\r\n")

    async with answering(answer) as port:
        await row.loresmith("doctor", redis_url=redis_url, port=str(port))
        assert row.codes[-1] == 1
        ahead.pop(0)
        assert re.search(r"ok +clock", await row.loresmith("doctor", redis_url=redis_url, port=str(port)))
    row.judge()


async def test_no_page(row: Row, start: Start, monkeypatch: pytest.MonkeyPatch, short_tmp: Path) -> None:
    import asyncio
    import shutil

    import loresmith

    package = short_tmp / "bare" / "loresmith"
    ignored = shutil.ignore_patterns("__pycache__", "page")
    shutil.copytree(Path(loresmith.__file__).parent, package, ignore=ignored)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(package.parent))
        run = await start()
    assert (await row.get(run, "/")).status_code == 503
    await run.stop()
    made = await asyncio.create_subprocess_exec("make", "page", cwd=ROOT)
    assert await made.wait() == 0
    row.typed.append("make page")
    again = await start()
    assert (await again.http.get("/")).status_code == 200
    row.judge()
