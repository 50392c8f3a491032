"""Many jobs at once: accepted at once, run as the model has slots, all completed."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from tests.e2e.conftest import Run, Start
from tests.waiting import wait_until

MANY = 50


async def submit_many(run: Run) -> list[str]:
    """Submit many jobs side by side and return their ids."""
    return await asyncio.gather(*(run.submit(count=1) for _ in range(MANY)))


def models_of(run: Run) -> list[psutil.Process]:
    """The model server of a run; none in the moment in which it has died."""
    return [child for child in run.children if "loresmith.embedded.model_server" in words_of(child)]


def words_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one
        return []


async def test_50_submits_at_once_wait_for_no_model(start: Start) -> None:
    run = await start(model="fake?seconds=600&slots=6")
    ids = await submit_many(run)
    states = [(await run.job(job_id))["status"] for job_id in ids]
    assert set(states) <= {"pending", "processing"}
    assert states.count("pending") >= MANY - 6, "what the model has no slot for waits"


async def test_50_submits_at_once_are_accepted_and_completed(start: Start) -> None:
    run = await start(model="fake?seconds=0.1&tokens=20&slots=6")
    for job_id in await submit_many(run):
        assert (await run.ended(job_id))["status"] == "completed"


@pytest.mark.long
async def test_50_submits_at_once_with_the_embedded_model(start: Start) -> None:
    run = await start(model="")
    for job_id in await submit_many(run):
        assert (await run.ended(job_id, seconds=800))["status"] == "completed"


@pytest.mark.long
async def test_a_killed_model_is_started_again_and_the_job_completes(start: Start) -> None:
    run = await start(model="")
    job_id = await run.submit()
    await run.first_item(job_id)
    [model] = models_of(run)
    model.kill()
    job = await run.ended(job_id, seconds=300)
    assert job["status"] == "completed"
    assert len(job["result"]) == 3


@pytest.mark.long
async def test_a_model_killed_again_and_again_costs_no_job_of_a_backlog(start: Start) -> None:
    """One that is refused while the model restarts would give its place to the next, which is refused as well."""
    run = await start(model="")
    ids = [await run.submit(count=1) for _ in range(8)]
    killed: set[int] = set()

    async def killed_while_it_works() -> bool:
        works = any([await run.is_processing(job_id) for job_id in ids])
        for model in models_of(run) if works else ():
            model.kill()
            killed.add(model.pid)
        return len(killed) == 3

    await wait_until(killed_while_it_works, seconds=120)
    assert [(await run.ended(job_id, seconds=300))["status"] for job_id in ids] == ["completed"] * 8
