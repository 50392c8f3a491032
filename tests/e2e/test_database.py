"""SQL under real processes: SQLite where nothing is configured, PostgreSQL after `loresmith migrate`."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path
from uuid import UUID

import httpx2
import psycopg

from loresmith.db import Database, Worlds, locate
from tests.db.samples import new_world
from tests.e2e.conftest import ProcessOf, Run, Start, free_port, is_ready, process_of
from tests.waiting import wait_until


async def migrated(of: ProcessOf, data_dir: Path, database_url: str) -> list[str]:
    """Run `loresmith migrate` and return the lines that it printed."""
    async with of(data_dir, "migrate", database_url=database_url) as process:
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode().splitlines()


async def test_worlds_and_history_outlast_the_kill_of_loresmith_run(start: Start, short_tmp: Path) -> None:
    data_dir = short_tmp / "data"
    run = await start(data_dir)
    database = Database(locate(None, data_dir=data_dir))
    world = await Worlds(database).save(new_world())
    await database.close()
    ids = [await run.submit() for _ in range(3)]
    for job_id in ids:
        await run.ended(job_id)
    await run.stop(signal.SIGKILL)
    run = await start(data_dir)
    assert (await run.http.get(f"/worlds/{world.id}")).json()["title"] == "The Long Night"
    assert [one["id"] for one in (await run.http.get("/worlds")).json()["data"]] == [world.id]
    await wait_until(lambda: sorted(history_of(data_dir)) == sorted(ids), seconds=40)


async def test_processes_share_a_postgresql(
    short_tmp: Path, redis_url: str, postgres_url: str, forked: ProcessOf
) -> None:
    data_dir, port, lore = short_tmp / "data", str(free_port()), f"127.0.0.1:{free_port()}"
    lines = await migrated(process_of, data_dir, postgres_url)
    assert lines[1:3] == ["applied 0001 worlds, lore pieces and job history", "applied 0002 API keys"]
    assert lines[3:] == ["done: the schema is at 0002"]
    lines = await migrated(forked, data_dir, postgres_url)
    assert lines[1:] == ["nothing to do: the schema is at 0002, as it should be"]
    settings = {"redis_url": redis_url, "database_url": postgres_url}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(forked(data_dir, "lore", lore_listen=lore))
        for _ in range(2):
            await stack.enter_async_context(forked(data_dir, "worker", lore_url=lore, **settings))
        served = await stack.enter_async_context(forked(data_dir, "serve", port=port, **settings))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        await wait_until(lambda: is_ready(served, http), seconds=50)
        run = Run(served, http)
        ids = [await run.submit() for _ in range(6)]
        for job_id in ids:
            await run.ended(job_id)
        await wait_until(lambda: sorted(rows_of(postgres_url)) == sorted(ids))
        assert (await http.get("/worlds")).json() == {"data": [], "next_cursor": None}
    assert not data_dir.exists()


def history_of(data_dir: Path) -> list[str]:
    with closing(sqlite3.connect(data_dir / "loresmith.sqlite3")) as connection:
        return [str(UUID(job_id)) for (job_id,) in connection.execute("SELECT job_id FROM job_history")]


def rows_of(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [job_id for (job_id,) in connection.execute("SELECT job_id::text FROM job_history")]
