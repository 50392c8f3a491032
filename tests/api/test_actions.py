"""Cancel, retry, delete, pause: what each answers, and what it leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from loresmith.jobs import JobManager, JobNotFoundError, Options, Worker
from tests.api.conftest import assert_problem, ended, job_of, reached, submitted
from tests.waiting import wait_until

Cue = Callable[[str], asyncio.Event]


async def test_a_waiting_job_is_cancelled_at_once(api: httpx2.AsyncClient) -> None:
    job_id = await submitted(api)
    answer = await api.post(f"/jobs/{job_id}/cancel")
    job = answer.json()
    assert answer.status_code == 200
    assert (job["status"], job["state"], job["error"]) == ("failed", "cancelled", "Job was cancelled")
    assert job["error_detail"]["code"] == "cancelled"
    again = await api.post(f"/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()) == (200, job)


async def test_a_running_job_is_shown_as_stopping_until_it_has_stopped(
    api: httpx2.AsyncClient, worker: Worker, cue: Cue, monkeypatch: pytest.MonkeyPatch
) -> None:
    cue("never")
    monkeypatch.setattr("loresmith.jobs.run.Run.stop", lambda *_: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    job_id = await submitted(api, "item:0", "wait:never")
    before = await wait_until(lambda: _with_items(api, job_id))
    assert before is not None
    answer = await api.post(f"/jobs/{job_id}/cancel")
    job = answer.json()
    assert (answer.status_code, job["status"], job["state"]) == (202, "processing", "cancelling")
    assert job["seq"] > before["seq"]
    assert answer.headers["retry-after"]
    assert (await job_of(api, job_id))["state"] == "cancelling"
    assert [one["state"] for one in (await api.get("/jobs?state=cancelling")).json()["data"]] == ["cancelling"]
    monkeypatch.undo()
    stopped = await ended(api, job_id)
    assert stopped["state"] == "cancelled"
    assert stopped["seq"] > job["seq"]
    assert len(stopped["items"]) == 1


async def _with_items(api: httpx2.AsyncClient, job_id: str) -> dict[str, Any] | None:
    job = await job_of(api, job_id)
    return job if job["items"] else None


async def test_a_completion_that_came_first_wins(api: httpx2.AsyncClient, worker: Worker) -> None:
    job = await ended(api, await submitted(api))
    answer = await api.post(f"/jobs/{job['id']}/cancel")
    assert (answer.status_code, answer.json()) == (200, job)


async def test_a_retry_goes_on_with_what_was_finished(api: httpx2.AsyncClient, worker: Worker) -> None:
    failed = await ended(api, await submitted(api, "item:0", "refuse"))
    assert (failed["error"], failed["error_detail"]["code"], len(failed["items"])) == ("refused", "content_refused", 1)
    answer = await api.post(f"/jobs/{failed['id']}/retry")
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["retry_of"], job["items"]) == (failed["id"], failed["items"])
    assert (await ended(api, job["id"]))["items"] == failed["items"]
    assert await job_of(api, failed["id"]) == failed


async def test_two_retries_at_once_make_one_job(remote: httpx2.AsyncClient, manager: JobManager) -> None:
    job_id = await submitted(remote)
    await remote.post(f"/jobs/{job_id}/cancel")
    answers = await asyncio.gather(*(remote.post(f"/jobs/{job_id}/retry") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_only_what_failed_is_retried(api: httpx2.AsyncClient, worker: Worker) -> None:
    job = await ended(api, await submitted(api))
    assert_problem(await api.post(f"/jobs/{job['id']}/retry"), 409, "job_not_failed")
    assert_problem(await api.post(f"/jobs/{await submitted(api, delay_seconds=99)}/retry"), 409, "job_not_failed")


async def test_a_deleted_job_is_gone_with_its_key(api: httpx2.AsyncClient, redis: Any) -> None:
    body: dict[str, Any] = {"type": "play", "payload": {}}
    key = {"Idempotency-Key": "k"}
    job_id = (await api.post("/jobs", json=body, headers=key)).json()["id"]
    assert_problem(await api.delete(f"/jobs/{job_id}"), 409, "job_not_ended")
    await api.post(f"/jobs/{job_id}/cancel")
    answer = await api.delete(f"/jobs/{job_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(await api.get(f"/jobs/{job_id}"), 404, "job_not_found")
    assert_problem(await api.delete(f"/jobs/{job_id}"), 404, "job_not_found")
    assert (await api.get("/jobs")).json()["data"] == []
    assert [name async for name in redis.scan_iter(f"*{job_id}*")] == []
    anew = await api.post("/jobs", json=body, headers=key)
    assert anew.json()["id"] != job_id
    assert "idempotent-replayed" not in anew.headers


async def test_a_retry_after_the_last_one_was_deleted_is_a_new_job(api: httpx2.AsyncClient) -> None:
    job_id = await submitted(api)
    await api.post(f"/jobs/{job_id}/cancel")
    first = (await api.post(f"/jobs/{job_id}/retry")).json()["id"]
    await api.post(f"/jobs/{first}/cancel")
    await api.delete(f"/jobs/{first}")
    second = (await api.post(f"/jobs/{job_id}/retry")).json()["id"]
    assert second not in (first, job_id)


async def test_a_submit_that_meets_the_deletion_of_its_job_makes_one_job(api: httpx2.AsyncClient, redis: Any) -> None:
    body: dict[str, Any] = {"type": "play", "payload": {}}
    key = {"Idempotency-Key": "k"}
    for _ in range(20):
        job_id = (await api.post("/jobs", json=body, headers=key)).json()["id"]
        await api.post(f"/jobs/{job_id}/cancel")
        _, answer = await asyncio.gather(api.delete(f"/jobs/{job_id}"), api.post("/jobs", json=body, headers=key))
        assert answer.status_code == 202
        left = (await api.post("/jobs", json=body, headers=key)).json()["id"]
        assert [name async for name in redis.scan_iter("job:*")] == [f"job:{left}".encode()]
        await api.post(f"/jobs/{left}/cancel")
        assert (await api.delete(f"/jobs/{left}")).status_code == 204


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
async def test_nothing_is_done_to_what_is_not_there(api: httpx2.AsyncClient, action: str) -> None:
    for job_id in (str(uuid4()), "x", "..%2F"):
        path = f"/jobs/{job_id}" + ("" if action == "delete" else f"/{action}")
        answer = await api.request("DELETE" if action == "delete" else "POST", path)
        assert answer.status_code == 404


async def test_nothing_is_done_to_what_is_somebody_elses(manager: JobManager) -> None:
    job = await manager.create("play", {}, Options(owner="me"))
    asked: list[Callable[..., Awaitable[object]]] = [
        manager.view,
        manager.get,
        manager.cancel,
        manager.retry,
        manager.delete,
    ]
    for call in asked:
        with pytest.raises(JobNotFoundError):
            await call(job.id, owner="somebody else")
    with pytest.raises(JobNotFoundError):
        async with manager.following(job.id, owner="somebody else"):
            pass
    assert (await manager.get(job.id, owner="me")).state == "queued"


async def test_a_paused_queue_takes_jobs_and_hands_out_none(api: httpx2.AsyncClient, worker: Worker) -> None:
    assert (await api.post("/queues/default/pause")).status_code == 204
    job_id = await submitted(api)
    second = await submitted(api)
    stats = (await api.get("/stats")).json()["queues"][0]
    assert (stats["paused"], stats["depth"], stats["open"]) == (True, {"high": 0, "normal": 2, "low": 0}, 2)
    assert (await job_of(api, job_id))["queue"] == {"position": 1, "expected_start": None}
    assert (await job_of(api, second))["queue"] == {"position": 2, "expected_start": None}
    assert (await api.post("/queues/default/resume")).status_code == 204
    assert (await ended(api, job_id))["queue"] is None
    assert_problem(await api.post("/queues/other/pause"), 404, "queue_not_found")


async def test_the_figures_tell_who_works_and_how_fast(
    api: httpx2.AsyncClient, worker: Worker, cue: Cue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.jobs.stats._FRESH_SECONDS", 0.0)
    for _ in range(3):
        await ended(api, await submitted(api))
    await ended(api, await submitted(api, "refuse"))
    cue("go")
    running = await submitted(api, "wait:go")
    await reached(api, running, "running")
    stats = (await api.get("/stats")).json()
    assert stats["queues"][0]["running"] == 1
    assert stats["queues"][0]["ended_per_minute"] > 0
    assert (stats["types"]["play"]["completed"], stats["types"]["play"]["failed"]) == (3, 1)
    assert 0 <= stats["types"]["play"]["run_seconds"]["p50"] <= stats["types"]["play"]["run_seconds"]["p95"]
    assert [one["id"] for one in stats["workers"]] == [worker.name]


async def test_the_payload_comes_when_it_is_asked_for(api: httpx2.AsyncClient) -> None:
    job_id = await submitted(api, "item:0")
    assert "payload" not in await job_of(api, job_id)
    assert (await api.get(f"/jobs/{job_id}?include=payload")).json()["payload"] == {"steps": ["item:0"]}
    assert_problem(await api.get(f"/jobs/{job_id}?include=everything"), 400, "bad_request")
