"""A job that saves a world while the database goes away: it waits, and then only saves."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import BaseModel

from loresmith.bootstrap import classify
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.jobs import JobContext, Options, Status, job_type
from tests.db.postgres import Postgres
from tests.db.samples import new_world
from tests.redis.conftest import Engine
from tests.redis.conftest import engine as engine  # noqa: PLC0414 - a fixture
from tests.waiting import wait_until

STORIES: list[str] = []
"""Each story that was told, and so paid for."""


class Wish(BaseModel):
    """Whose world it is to be."""

    user_id: str


@job_type("tell_world")
async def tell_world(ctx: JobContext[Wish]) -> str:
    title = await ctx.step("story", lambda: _tell(ctx.root_job_id), str)
    new = new_world(
        root_job_id=ctx.root_job_id, job_id=ctx.job_id, owner=ctx.owner, user_id=ctx.payload.user_id, title=title
    )
    return (await ctx.resource(Worlds).save(new)).id


async def _tell(root: str) -> str:
    STORIES.append(root)
    return "A Long Night"


async def test_a_database_that_is_down_costs_waits_of_the_save_and_no_story(
    engine: Engine, postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    location = locate(postgres_url, data_dir=tmp_path)
    await migrate(location)
    database = Database(location)
    worlds = Worlds(database)
    await engine.worker(tell_world, resources={Worlds: worlds}, classify=classify)
    await worlds.list(owner=None)
    await asyncio.to_thread(postgres.stop)
    try:
        job = await engine.manager.create("tell_world", {"user_id": "7"}, Options(max_attempts=2))
        await wait_until(lambda: _has_waited(engine, job.id, 3), seconds=40)
    finally:
        await asyncio.to_thread(postgres.start)
    ended = await engine.ended(job.id, seconds=40)
    assert (ended.status, ended.attempt) == (Status.COMPLETED, 1), ended.error
    [world] = (await worlds.list(owner=None)).worlds
    assert (world.title, world.root_job_id, world.job_id) == ("A Long Night", job.id, job.id)
    assert [job.id] == STORIES
    await database.close()


async def _has_waited(engine: Engine, job_id: str, times: int) -> bool:
    retries = (await engine.manager.get(job_id)).retries
    return isinstance(retries, dict) and retries.get("waits", 0) >= times
