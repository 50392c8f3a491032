"""The history: a row for each job that ended, whatever was away at that moment."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import select

from loresmith.bootstrap import build_history
from loresmith.db import Database, History, Location, SqliteFile, locate
from loresmith.db.schema import migrate
from loresmith.db.tables import HistoryRow
from loresmith.jobs import JobContext, Options, PermanentError, job_type
from tests.db.postgres import Postgres
from tests.db.samples import past_job
from tests.loaded import Loaded
from tests.redis.conftest import Engine
from tests.redis.conftest import engine as engine  # noqa: PLC0414 - a fixture
from tests.waiting import wait_until

SUBMISSION: tuple[str, object, Options] = ("obey", {}, Options())


class Order(BaseModel):
    """What to do."""

    fail: bool = False


@job_type("obey")
async def obey(ctx: JobContext[Order]) -> str:
    ctx.add_usage(model="fake", input_tokens=10, output_tokens=20, cost_usd=0.5)
    if ctx.payload.fail:
        raise PermanentError("as you wish", code="content_refused")
    return "done"


async def rows(database: Database) -> dict[str, HistoryRow]:
    async with database.reading() as session:
        found = list(await session.scalars(select(HistoryRow)))
        session.expunge_all()
    return {row.job_id: row for row in found}


async def row_count(database: Database, count: int) -> bool:
    return len(await rows(database)) == count


@asynccontextmanager
async def recording(url: str, database: Database, count: int = 1) -> AsyncGenerator[None]:
    """So many readers that write the history, as processes have."""
    readers = [build_history(url, database) for _ in range(count)]
    for reader in readers:
        reader._pause_seconds, reader._silent_ms = 0.02, 500
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    try:
        yield
    finally:
        for reader, task in zip(readers, tasks, strict=True):
            reader.stop()
            task.cancel()
        await asyncio.wait(tasks)


async def ended_jobs(engine: Engine, count: int) -> set[str]:
    jobs = await engine.manager.create_all([SUBMISSION] * count)
    for job in jobs:
        await engine.ended(job.id)
    return {job.id for job in jobs}


async def test_a_row_says_what_there_is_to_know(database: Database) -> None:
    job = past_job(state="failed", error_code="provider_timeout")
    await History(database).record([job])
    [row] = (await rows(database)).values()
    assert {name: getattr(row, name) for name in asdict(job)} == asdict(job)


async def test_recording_a_job_again_keeps_one_row_with_the_newest_word(database: Database) -> None:
    history, job = History(database), past_job()
    await history.record([job, replace(job, attempts=2)])
    await history.record([replace(job, attempts=3)])
    assert [row.attempts for row in (await rows(database)).values()] == [3]


async def test_many_processes_that_record_the_same_jobs_at_once_are_no_trouble(database: Database) -> None:
    jobs = [past_job() for _ in range(50)]
    await asyncio.gather(*(History(database).record(jobs[::order]) for order in (1, -1, 1, -1)))
    assert len(await rows(database)) == 50


async def test_a_job_that_cannot_be_stored_does_not_hold_the_others_up(database: Database) -> None:
    jobs = [past_job(), past_job(output_tokens=2**70), past_job(model="a\0b")]
    await History(database).record(jobs)
    found = await rows(database)
    assert set(found) == {jobs[0].job_id, jobs[2].job_id}
    assert found[jobs[2].job_id].model == "ab"


async def test_each_job_that_ends_gets_a_row(engine: Engine, database: Database) -> None:
    await engine.worker(obey)
    done = await engine.manager.create("obey", {}, Options(owner="anna"))
    failed = await engine.manager.create("obey", {"fail": True})
    cancelled = await engine.manager.create("obey", {}, Options(delay_seconds=60))
    await engine.manager.cancel(cancelled.id)
    async with recording(engine.url, database):
        await wait_until(lambda: row_count(database, 3))
    found = await rows(database)
    row = found[done.id]
    assert (row.type, row.owner, row.state, row.attempts) == ("obey", "anna", "completed", 1)
    assert (row.input_tokens, row.output_tokens, row.cost_usd, row.model) == (10, 20, 0.5, "fake")
    assert row.root_job_id == done.id
    assert row.started_at is not None
    assert row.created_at <= row.started_at <= row.ended_at
    assert (found[failed.id].state, found[failed.id].error_code) == ("failed", "content_refused")
    assert (found[cancelled.id].state, found[cancelled.id].error_code) == ("cancelled", "cancelled")
    assert found[cancelled.id].started_at is None
    retried = await engine.manager.retry(failed.id)
    await engine.ended(retried.id)
    async with recording(engine.url, database):
        await wait_until(lambda: row_count(database, 4))
    assert (await rows(database))[retried.id].root_job_id == failed.id


async def test_jobs_that_end_while_postgresql_is_down_get_their_rows_when_it_is_back(
    engine: Engine, postgres: Postgres, postgres_url: str, tmp_path: Any
) -> None:
    location = locate(postgres_url, data_dir=tmp_path)
    await migrate(location)
    database = Database(location)
    await engine.worker(obey, concurrency=20)
    async with recording(engine.url, database, count=2):
        before = await ended_jobs(engine, 20)
        await wait_until(lambda: row_count(database, 20))
        await asyncio.to_thread(postgres.stop)
        try:
            during = await ended_jobs(engine, 250)
        finally:
            await asyncio.to_thread(postgres.start)
        await wait_until(lambda: row_count(database, 270))
    assert set(await rows(database)) == before | during
    await database.close()


async def test_jobs_that_end_while_a_sqlite_file_is_locked_get_their_rows(
    engine: Engine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3
    from contextlib import closing

    monkeypatch.setattr("loresmith.db.engine.STATEMENT_SECONDS", 0.2)
    location = locate(None, data_dir=tmp_path)
    assert isinstance(location, SqliteFile)
    await migrate(location)
    database = Database(location)
    await engine.worker(obey)
    async with recording(engine.url, database):
        with closing(sqlite3.connect(location.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            ids = await ended_jobs(engine, 30)
            assert await rows(database) == {}
            other.execute("ROLLBACK")
        await wait_until(lambda: row_count(database, 30))
    assert set(await rows(database)) == ids
    await database.close()


async def test_a_process_killed_between_commit_and_acknowledgement_costs_no_row_and_doubles_none(
    engine: Engine, database: Database, location: Location, loaded: Loaded
) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 20)
    process = await loaded.run("-m", "tests.db.dying_recorder", engine.url, _url(location))
    assert (await process.communicate(), process.returncode) == ((b"", b""), -signal.SIGKILL)
    assert await row_count(database, 20)
    async with recording(engine.url, database):
        ids |= await ended_jobs(engine, 5)
        await wait_until(lambda: row_count(database, 25))
        await wait_until(lambda: _nothing_pending(engine))
    assert set(await rows(database)) == ids


async def test_a_process_killed_before_it_wrote_costs_no_row(
    engine: Engine, database: Database, location: Location, loaded: Loaded
) -> None:
    await engine.worker(obey)
    ids = await ended_jobs(engine, 20)
    process = await loaded.run("-m", "tests.db.dying_recorder", engine.url, _url(location), "before")
    assert (await process.communicate(), process.returncode) == ((b"", b""), -signal.SIGKILL)
    assert await row_count(database, 0)
    async with recording(engine.url, database):
        await wait_until(lambda: row_count(database, 20))
    assert set(await rows(database)) == ids


def _url(location: Location) -> str:
    if isinstance(location, SqliteFile):
        return location.place
    given = location.parameters
    return f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}"


async def _nothing_pending(engine: Engine) -> bool:
    return (await engine.connection().xpending("queue:{default}:ended", "history"))["pending"] == 0
