"""Every method of both clients against the real API and a real worker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from loresmith.client import ConflictError, Job, JobFailedError, JobHandle, NotFoundError, Submission, Update
from loresmith.db import NewWorld, Piece, Quest, Worlds
from loresmith.jobs import LOCAL_OWNER, Worker
from tests.api.conftest import job_of, reached
from tests.client.conftest import Either

Cue = Callable[[str], asyncio.Event]


async def test_a_job_from_submit_to_result(client: Either, worker: Worker) -> None:
    handle = await client.submit("write_verses", {"about": "rain"}, tags=["wet"], metadata={"a": 1})
    made: Job = handle.snapshot
    assert (made.status, made.done, made.progress, made.tags, made.metadata) == ("pending", False, 0, ["wet"], {"a": 1})
    ended: Job = await client.wait(made.id, timeout_seconds=20)
    assert ended.raise_for_failure() is ended
    assert ended.result == [{"text": "rain 0"}, {"text": "rain 1"}]
    assert ended.completed_at is not None
    assert ended.completed_at.tzinfo is not None


async def test_a_submit_can_wait_for_the_end(client: Either, worker: Worker) -> None:
    assert (await client.submit("write_verses", {"about": "rain"}, wait_seconds=20)).done


async def test_a_stream_tells_each_item_once_and_ends_with_the_job(
    client: Either, worker: Worker, cue: Cue, remote: httpx2.AsyncClient
) -> None:
    go = cue("go")
    steps = ["wait:go", "item:0", "report:0.3", "item:1", "fail:1", "item:2", "report:0.9", "finalize", "item:3"]
    made: JobHandle[Any] = await client.submit("play", {"steps": steps})
    streaming = asyncio.ensure_future(client.stream(made.id, timeout_seconds=20))
    await reached(remote, made.id, "running")
    go.set()
    updates: list[Update] = await streaming
    last = updates[-1].job
    assert last.done
    assert [item for update in updates for item in update.new_items] == last.result
    assert len(last.result) == 4
    seqs = [update.job.seq for update in updates]
    assert seqs == sorted(seqs)
    assert last.document == await job_of(remote, made.id)


async def test_a_stream_of_a_job_that_has_ended_is_its_end(client: Either, worker: Worker) -> None:
    made: JobHandle[Any] = await client.submit("write_verses", {"about": "rain"}, wait_seconds=20)
    updates: list[Update] = await client.stream(made.id)
    assert [update.job.done for update in updates] == [True]
    assert len(updates[0].new_items) == 2


async def test_a_failed_job_says_why_and_is_retried(client: Either, worker: Worker) -> None:
    handle = await client.submit("play", {"steps": ["item:0", "refuse"]}, wait_seconds=20)
    made: Job = handle.snapshot
    assert made.error_detail is not None
    assert made.error_detail.code == "content_refused"
    with pytest.raises(JobFailedError, match="refused") as caught:
        made.raise_for_failure()
    assert caught.value.code == "content_refused"
    again: Job = await client.retry(made.id)
    assert again.retry_of == made.id
    await client.wait(again.id, timeout_seconds=20)
    await client.delete(made.id)
    with pytest.raises(NotFoundError):
        await client.get(made.id)


async def test_a_job_is_cancelled(client: Either) -> None:
    made: Job = (await client.submit("play", {"steps": []})).snapshot
    assert not made.is_cancelled
    ended: Job = await client.cancel(made.id)
    assert (ended.is_cancelled, ended.status, ended.done) == (True, "failed", True)
    assert (await client.cancel(made.id)).seq == ended.seq


async def test_what_is_not_possible_is_a_conflict(client: Either) -> None:
    made: JobHandle[Any] = await client.submit("play", {"steps": []})
    with pytest.raises(ConflictError) as caught:
        await client.delete(made.id)
    assert caught.value.code == "job_not_ended"
    with pytest.raises(ConflictError):
        await client.retry(made.id)


async def test_jobs_are_listed_over_all_pages_and_by_filter(client: Either) -> None:
    wanted = [
        Submission(type="play", payload={"steps": []}, tags=["odd" if place % 2 else "even"]) for place in range(7)
    ]
    made = [job.id for job in await client.submit_batch(wanted)]
    assert {job.id for job in await client.list(page_size=3)} == set(made)
    assert {job.id for job in await client.list(page_size=2, tag="odd")} == {made[1], made[3], made[5]}
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert await client.list(created_after=soon) == []
    assert len(await client.list(created_after=datetime.now() - timedelta(hours=1), type="play", status="pending")) == 7  # noqa: DTZ005 - a time without a zone is local


async def test_many_are_read_at_once(client: Either) -> None:
    made: JobHandle[Any] = await client.submit("play", {"steps": []})
    nobody = str(uuid.uuid4())
    found = await client.get_many([made.id, nobody])
    assert [job.id for job in found.jobs] == [made.id]
    assert found.missing == [nobody]


async def test_the_payload_comes_if_asked_for(client: Either) -> None:
    made: JobHandle[Any] = await client.submit("write_verses", {"about": "rain"})
    assert (await client.get(made.id)).payload is None
    assert (await client.get(made.id, payload=True)).payload["about"] == "rain"


async def test_job_types_and_statistics(client: Either, worker: Worker) -> None:
    types = {one.name: one for one in await client.job_types()}
    assert types["write_verses"].payload_schema["properties"]["count"]["default"] == 2
    await client.submit("write_verses", {"about": "rain"}, wait_seconds=20)
    stats = await client.stats()
    assert stats.queues[0].name == "default"
    assert stats.document["queues"][0]["name"] == "default"


async def test_a_queue_is_paused_and_resumed(client: Either) -> None:
    await client.pause()
    assert (await client.stats()).queues[0].paused
    await client.resume()
    with pytest.raises(NotFoundError) as caught:
        await client.pause("elsewhere")
    assert caught.value.code == "queue_not_found"


async def test_worlds_are_listed_read_and_deleted(client: Either, worlds: Worlds) -> None:
    for title in ("One", "Two", "Three"):
        await worlds.save(
            NewWorld(
                root_job_id=(job_id := str(uuid.uuid4())),
                job_id=job_id,
                owner=LOCAL_OWNER,
                user_id="7",
                theme="fantasy",
                title=title,
                paragraphs=["A.", "B."],
                quest=Quest(title="Go", description="far", stages=("Wake", "Walk")),
                pieces=[Piece(kind="character", name="Björn", description="A smith.", details={"role": "smith"})],
            )
        )
    listed = await client.worlds(page_size=2)
    assert [one.title for one in listed] == ["Three", "Two", "One"]
    world = await client.world(listed[0].id)
    assert (world.story, world.quest.stages, world.pieces[0].details) == (
        "A.\n\nB.",
        ["Wake", "Walk"],
        {"role": "smith"},
    )
    await client.delete_world(listed[0].id)
    with pytest.raises(NotFoundError):
        await client.world(listed[0].id)


def test_importing_the_client_loads_nothing_of_the_server() -> None:
    code = (
        "import sys, loresmith.client; print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'fastapi', 'starlette', 'redis', 'sqlalchemy', 'grpc', 'pydantic', 'pydantic_settings'}),"
        " sorted(name for name in sys.modules if name.startswith('loresmith.') and 'client' not in name"
        " and name not in ('loresmith.pasted', 'loresmith.proxies')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[] []\n"
