"""Jobs of an application, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loresmith.asgi import Jobs
from loresmith.asgi.connected import NotConnectedError
from loresmith.client import (
    ConflictError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    ServerUnreachableError,
    Update,
    WaitTimeoutError,
    Webhook,
)
from loresmith.jobs import Worker
from loresmith.settings import SettingsError
from tests.api.conftest import Verse, write_verses

Cue = Callable[[str], asyncio.Event]


async def test_job_from_submit_to_typed_result(jobs: Jobs, worker: Worker, cue: Cue) -> None:
    go = cue("go")
    job = await jobs.as_owner("anna").submit(
        "play", steps=["item:0", "wait:go", "item:1"], tags=["a"], metadata={"b": 1}, result_type=list[Verse]
    )
    assert (job.status, job.snapshot.tags, job.snapshot.metadata) == ("pending", ["a"], {"b": 1})
    with pytest.raises(WaitTimeoutError):
        await job.wait(timeout=0.01)
    updates: list[Update] = []
    async for update in job.stream(timeout=20):
        updates.append(update)
        if update.job.items:
            go.set()
    told = [item for update in updates for item in update.new_items]
    assert told == job.items == await job.result()
    assert all(isinstance(item, Verse) for item in told)
    assert len(told) == 2
    assert updates[-1].job.done


async def test_imported_job_type_makes_the_result_typed(jobs: Jobs, worker: Worker) -> None:
    job = await jobs.submit(write_verses, about="rain", count=1)
    assert [verse.text for verse in await job.result(timeout=20)] == ["rain 0"]


async def test_jobs_belong_to_their_owner(jobs: Jobs) -> None:
    anna, seventh = jobs.as_owner("anna"), jobs.as_owner(7)
    mine = await anna.submit("play", steps=[])
    await seventh.submit("play", steps=[])
    assert [job.id async for job in anna.list(page_size=1, type="play", status="pending")] == [mine.id]
    assert (await anna.get(mine.id, payload=True)).payload == {"steps": []}
    for attempt in (seventh.get, seventh.cancel, seventh.retry, seventh.delete, seventh.create_token, seventh.wait):
        with pytest.raises(NotFoundError):
            await attempt(mine.id)
    assert not (await anna.get(mine.id)).done
    with pytest.raises(ValueError, match="owner is empty"):
        jobs.as_owner("")


async def test_job_is_cancelled_retried_and_deleted(jobs: Jobs) -> None:
    job = await jobs.submit("play", steps=[])
    with pytest.raises(ConflictError):
        await job.retry()
    assert (await job.cancel()).is_cancelled
    with pytest.raises(JobFailedError):
        await job.result()
    again = await job.retry()
    assert again.snapshot.retry_of == job.id
    await job.delete()
    with pytest.raises(NotFoundError):
        await job.refresh()
    assert (await again.webhooks()).webhook is None


async def test_key_of_a_submit_stands_for_one_job(jobs: Jobs) -> None:
    due = datetime.now(UTC) + timedelta(hours=1)
    first = await jobs.submit("play", steps=[], idempotency_key="a", run_at=due)
    assert first.state == "scheduled"
    assert (await jobs.submit("play", steps=[], idempotency_key="a", run_at=due)).id == first.id
    with pytest.raises(InvalidRequestError) as caught:
        await jobs.submit("play", steps=["x"], idempotency_key="a", run_at=due)
    assert caught.value.code == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("fields", "options", "pointer"),
    [
        ({"about": ""}, {}, "/payload/about"),
        ({"about": "x"}, {"max_attempts": 99}, "/max_attempts"),
        ({"about": "x"}, {"webhook": Webhook("https://example.com/")}, "/webhook"),
        ({"about": "x"}, {"tags": [""]}, "/tags/0"),
    ],
)
async def test_submit_names_the_field_as_over_http(
    jobs: Jobs, fields: dict[str, Any], options: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await jobs.submit("write_verses", fields, **options)
    assert [one.pointer for one in caught.value.problem.errors] == [pointer]


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("play", {"idempotency_key": "no\nkey"}, "bad_request"),
        ("write_verses", {"about": "x", "words": {"a": "x" * 300_000}}, "payload_too_large"),
        ("plai", {}, "unknown_job_type"),
    ],
)
async def test_submit_is_refused_as_over_http(jobs: Jobs, name: str, options: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await jobs.submit(name, **options)
    assert caught.value.code == code
    assert [job async for job in jobs.list()] == []


async def test_stream_ends_when_the_application_stops(jobs: Jobs) -> None:
    job = await jobs.submit("play", steps=[])
    updates = job.stream()
    assert not (await anext(updates)).job.done
    jobs.connected.manager.release_waiters()
    with pytest.raises(ServerUnreachableError, match="the job goes on"):
        await anext(updates)


async def test_jobs_that_are_not_open_say_so(tmp_path: Path) -> None:
    jobs = Jobs(data_dir=tmp_path)
    with pytest.raises(NotConnectedError, match=r"FastAPI\(lifespan=jobs\.lifespan\)"):
        await jobs.submit("play")
    with pytest.raises(NotConnectedError, match="LORESMITH_REDIS_URL, or start `loresmith run`"):
        await jobs.__aenter__()
    with pytest.raises(NotConnectedError, match="127"):
        await Jobs(redis_url="redis://127.0.0.1:1", data_dir=tmp_path).__aenter__()
    with pytest.raises(SettingsError, match="LORESMITH_PORT"):
        Jobs(port="no")
