"""A world whose database is away while it is saved: the job waits for it, and saves without another call."""

from pathlib import Path
from random import Random
from typing import Any

from loresmith.bootstrap import classify
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.job_types.create_world import create_world
from loresmith.jobs.submission import Options
from loresmith.jobs.types import ErrorDetail
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm_service.fake_text import Writer
from tests.redis.conftest import Engine
from tests.waiting import wait_until


def written(request: GenerationRequest) -> dict[str, Any]:
    value: Any = Writer(request.output_schema, Random(request.seed)).value(request.output_schema)
    return value


async def test_a_world_waits_for_its_database_and_is_saved_without_another_call(engine: Engine, tmp_path: Path) -> None:
    location = locate(None, data_dir=tmp_path / "later")
    database, llm = Database(location), ScriptedLoreModel(written)
    worlds = Worlds(database)
    await engine.worker(create_world, resources={LoreModel: llm, Worlds: worlds}, classify=classify)
    payload = {"user_id": 7, "theme": "fantasy"}

    job = await engine.manager.create("create_world", payload, Options(max_attempts=1))
    await wait_until(lambda: _waits(engine, job.id))
    calls = len(llm.requests)

    (tmp_path / "later").mkdir()
    await migrate(location)
    ended = await engine.ended(job.id)
    assert (ended.status, ended.attempt) == ("completed", 1), ended.error
    assert len(llm.requests) == calls
    page = await worlds.list(owner=None)
    assert [each.root_job_id for each in page.worlds] == [job.id]
    await database.close()


async def test_a_world_that_waits_past_its_deadline_is_saved_by_a_retry(engine: Engine, tmp_path: Path) -> None:
    location = locate(None, data_dir=tmp_path / "later")
    database, llm = Database(location), ScriptedLoreModel(written)
    worlds = Worlds(database)
    await engine.worker(create_world, resources={LoreModel: llm, Worlds: worlds}, classify=classify)
    payload = {"user_id": 7, "theme": "fantasy"}

    first = await engine.manager.create("create_world", payload, Options(deadline_seconds=5))
    failed = await engine.ended(first.id)
    assert failed.error
    assert failed.error.startswith("The job did not end")
    assert failed.error.endswith(": the database cannot be reached")
    assert isinstance(failed.error_detail, ErrorDetail)
    assert (failed.error_detail.code, failed.error_detail.retryable) == ("deadline_exceeded", True)
    calls = len(llm.requests)

    (tmp_path / "later").mkdir()
    await migrate(location)
    ended = await engine.ended((await engine.manager.retry(first.id)).id)
    assert ended.status == "completed", ended.error
    assert len(llm.requests) == calls
    page = await worlds.list(owner=None)
    assert [each.root_job_id for each in page.worlds] == [first.id]
    await database.close()


async def _waits(engine: Engine, job_id: str) -> bool:
    job = await engine.manager.get(job_id)
    return job.state == "retrying" and job.message == "Waiting for the database: the database cannot be reached"
