"""Long polls: held until there is something new, or the client has waited long enough."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from loresmith.jobs import JobManager, Worker
from tests.api.conftest import job_of, reached, submitted
from tests.waiting import wait_until

Cue = Callable[[str], asyncio.Event]


def waiting(seq: int, seconds: int = 50) -> dict[str, str]:
    return {"If-None-Match": f'W/"{seq}"', "Prefer": f"wait={seconds}"}


async def test_a_read_is_held_until_the_job_changes(api: httpx2.AsyncClient, manager: JobManager) -> None:
    job = await job_of(api, await submitted(api))
    held = asyncio.create_task(api.get(f"/jobs/{job['id']}", headers=waiting(job["seq"])))
    await wait_until(lambda: list(manager._events._all()))
    assert not held.done()
    await api.post(f"/jobs/{job['id']}/cancel")
    answer = await held
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_a_read_is_held_no_longer_than_was_asked_for(api: httpx2.AsyncClient) -> None:
    job = await job_of(api, await submitted(api))
    started = time.monotonic()
    answer = await api.get(f"/jobs/{job['id']}", headers=waiting(job["seq"], 1))
    assert answer.status_code == 304
    assert 0.9 < time.monotonic() - started < 5


@pytest.mark.parametrize("prefer", ["wait=0", "wait", "wait=x", "wait=-1", "respond-async", "waiting=60", "=;,"])
async def test_a_preference_that_asks_for_nothing_is_answered_at_once(api: httpx2.AsyncClient, prefer: str) -> None:
    job = await job_of(api, await submitted(api))
    headers = {**waiting(job["seq"]), "Prefer": prefer}
    assert (await api.get(f"/jobs/{job['id']}", headers=headers)).status_code == 304


async def test_news_and_ends_are_told_at_once(api: httpx2.AsyncClient, worker: Worker) -> None:
    job_id = await submitted(api, delay_seconds=1000)
    assert (await api.get(f"/jobs/{job_id}", headers=waiting(99))).status_code == 200
    assert (await api.get(f"/jobs/{job_id}", headers={"Prefer": "wait=50"})).status_code == 200
    await api.post(f"/jobs/{job_id}/cancel")
    seq = (await job_of(api, job_id))["seq"]
    assert (await api.get(f"/jobs/{job_id}", headers=waiting(seq))).status_code == 304


async def test_a_submit_may_wait_for_the_end(api: httpx2.AsyncClient, worker: Worker, cue: Cue) -> None:
    body = {"type": "play", "payload": {"steps": ["item:0"]}}
    headers = {"Prefer": "respond-async, wait=50", "Idempotency-Key": "k"}
    answer = await api.post("/jobs", json=body, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert answer.headers["location"] == f"/jobs/{answer.json()['id']}"
    again = await api.post("/jobs", json=body, headers=headers)
    assert (again.status_code, again.json()) == (200, answer.json())
    cue("never")
    slow = await api.post(
        "/jobs", json={"type": "play", "payload": {"steps": ["wait:never"]}}, headers={"Prefer": "wait=1"}
    )
    assert (slow.status_code, slow.json()["done"]) == (202, False)
    assert slow.json()["state"] == "running"


async def test_fifty_held_reads_cost_one_connection(
    remote: httpx2.AsyncClient, manager: JobManager, redis: Any, worker: Worker, cue: Cue
) -> None:
    go = cue("go")
    ids = [await submitted(remote, "wait:go") for _ in range(50)]
    jobs = [await reached(remote, job_id, "running") for job_id in ids]
    before = await _connections(redis)

    async def until_done(job: dict[str, object]) -> dict[str, object]:
        while not job["done"]:
            answer = await remote.get(f"/jobs/{job['id']}", headers=waiting(int(str(job["seq"]))), timeout=60)
            job = answer.json() if answer.status_code == 200 else job
        return job

    held = [asyncio.create_task(until_done(job)) for job in jobs]
    await wait_until(lambda: len(list(manager._events._all())) == 50)
    assert await _connections(redis) - before <= 1 + 1  # the subscription; the pipeline may hold one at the time
    go.set()
    assert {job["status"] for job in await asyncio.gather(*held)} == {"completed"}


async def _connections(redis: Any) -> int:
    return len(await redis.client_list())
