"""What a submit may ask for, repeated submits, and several at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest

from loresmith.api import create_app
from loresmith.db import Worlds
from loresmith.jobs import JobManager, JobRegistry, Worker
from tests.api.conftest import assert_problem, ended, in_process, job_of

SUBMIT = {"type": "write_verses", "payload": {"about": "rain"}}
KEY = {"Idempotency-Key": "one of a kind"}


def with_options(**more: Any) -> dict[str, Any]:
    return {**SUBMIT, **more}


async def test_what_was_asked_for_is_on_the_job(api: httpx2.AsyncClient) -> None:
    asked: dict[str, Any] = {
        "metadata": {"order": [7, {}]},
        "tags": ["a", "b", "a"],
        "priority": "low",
        "max_attempts": 5,
    }
    job = (await api.post("/jobs", json=with_options(**asked, deadline_seconds=60.5))).json()
    assert job["metadata"] == asked["metadata"]
    assert job["tags"] == ["a", "b"]
    assert (job["priority"], job["max_attempts"], job["state"]) == ("low", 5, "queued")
    assert job["run_at"] is None


@pytest.mark.parametrize("how", ["delay_seconds", "run_at"])
async def test_a_job_may_wait_for_its_time(api: httpx2.AsyncClient, redis: Any, worker: Worker, how: str) -> None:
    due = datetime.now(UTC) + timedelta(seconds=3600)
    value = 3600 if how == "delay_seconds" else due.isoformat()
    job = (await api.post("/jobs", json=with_options(**{how: value}))).json()
    assert (job["status"], job["state"]) == ("pending", "scheduled")
    assert abs(datetime.fromisoformat(job["run_at"]) - due) < timedelta(seconds=5)
    assert await redis.zcard("queue:{default}:scheduled") == 1
    soon = (await api.post("/jobs", json=with_options(delay_seconds=0.1))).json()
    assert (await ended(api, soon["id"]))["status"] == "completed"
    assert (await job_of(api, job["id"]))["state"] == "scheduled"


async def test_a_time_that_has_passed_is_now(api: httpx2.AsyncClient) -> None:
    job = (await api.post("/jobs", json=with_options(run_at="1999-12-31T23:59:59z"))).json()
    assert (job["state"], job["run_at"]) == ("queued", None)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"metadata": []}, "/metadata"),
        ({"metadata": {"x": "y" * 4096}}, "/metadata"),
        ({"tags": ["x"] * 11}, "/tags"),
        ({"tags": [""]}, "/tags/0"),
        ({"tags": ["ok", "x" * 65]}, "/tags/1"),
        ({"tags": [1]}, "/tags/0"),
        ({"priority": "urgent"}, "/priority"),
        ({"delay_seconds": -1}, "/delay_seconds"),
        ({"delay_seconds": 31 * 86400}, "/delay_seconds"),
        ({"run_at": "tomorrow"}, "/run_at"),
        ({"run_at": 1700000000}, "/run_at"),
        ({"run_at": "2026-01-31T12:00:00"}, "/run_at"),
        ({"run_at": "2026-02-31T12:00:00Z"}, "/run_at"),
        ({"run_at": "9999-12-31T23:59:59-23:59"}, "/run_at"),
        ({"run_at": "2026-01-31T12:00:00Z", "delay_seconds": 1}, "/delay_seconds"),
        ({"deadline_seconds": 0}, "/deadline_seconds"),
        ({"max_attempts": 0}, "/max_attempts"),
        ({"max_attempts": 21}, "/max_attempts"),
        ({"webhook": {}}, "/webhook/url"),
    ],
    ids=str,
)
async def test_an_option_that_cannot_be_is_pointed_at(
    api: httpx2.AsyncClient, redis: Any, more: dict[str, Any], pointer: str
) -> None:
    problem = assert_problem(await api.post("/jobs", json=with_options(**more)), 400, "invalid_payload")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert await redis.dbsize() == 0


async def test_a_repeated_submit_gets_the_job_of_the_first(api: httpx2.AsyncClient, worker: Worker) -> None:
    first = await api.post("/jobs", json=SUBMIT, headers=KEY)
    assert "idempotent-replayed" not in first.headers
    await ended(api, first.json()["id"])
    again = await api.post("/jobs", content=orjson.dumps(SUBMIT), headers={**KEY, "Content-Type": "application/json"})
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["status"] == "completed"


async def test_a_job_that_was_to_wait_for_a_time_is_the_same_when_it_is_asked_for_later(
    api: httpx2.AsyncClient,
) -> None:
    body = with_options(run_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    ids = [(await api.post("/jobs", json=body, headers=KEY)).json()["id"] for _ in range(2)]
    assert ids[0] == ids[1]


async def test_a_key_does_not_stand_for_another_request(api: httpx2.AsyncClient) -> None:
    await api.post("/jobs", json=SUBMIT, headers=KEY)
    answer = await api.post("/jobs", json=with_options(tags=["other"]), headers=KEY)
    assert_problem(answer, 422, "idempotency_key_reused")


async def test_a_refused_request_is_not_remembered(api: httpx2.AsyncClient) -> None:
    assert_problem(await api.post("/jobs", json=with_options(tags=[""]), headers=KEY), 400, "invalid_payload")
    assert (await api.post("/jobs", json=SUBMIT, headers=KEY)).status_code == 202


async def test_fifty_submits_with_one_key_at_once_make_one_job(remote: httpx2.AsyncClient, redis: Any) -> None:
    answers = await asyncio.gather(*(remote.post("/jobs", json=SUBMIT, headers=KEY) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) >= 1
    assert len([key async for key in redis.scan_iter("job:*")]) == 1
    assert await redis.zcard("queue:{default}:open") == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\tb", "é"])
async def test_what_cannot_be_a_key_is_refused(api: httpx2.AsyncClient, redis: Any, key: str) -> None:
    answer = await api.post("/jobs", json=SUBMIT, headers={b"Idempotency-Key": key.encode()})
    assert_problem(answer, 400, "bad_request")
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert_problem(await api.post("/jobs", json=SUBMIT, headers=twice), 400, "bad_request")
    assert await redis.dbsize() == 0


async def test_the_longest_key_is_taken(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/jobs", json=SUBMIT, headers={"Idempotency-Key": "x" * 255})
    assert answer.status_code == 202


async def test_a_batch_is_stored_in_its_order(api: httpx2.AsyncClient) -> None:
    asked = [with_options(tags=[str(place)]) for place in range(100)]
    answer = await api.post("/jobs/batch", json={"jobs": asked})
    jobs = answer.json()["jobs"]
    assert answer.status_code == 202
    assert [job["tags"] for job in jobs] == [[str(place)] for place in range(100)]
    assert [await job_of(api, job["id"]) for job in jobs[:3]] == jobs[:3]


@pytest.mark.parametrize(
    ("jobs", "pointer"),
    [
        ([], "/jobs"),
        ([SUBMIT] * 101, "/jobs"),
        ([SUBMIT, {**SUBMIT, "payload": {"about": ""}}], "/jobs/1/payload/about"),
        ([SUBMIT, {"type": "write_verses"}], "/jobs/1/payload"),
        ([SUBMIT, 7], "/jobs/1"),
        ([SUBMIT, with_options(tags=["a", 7])], "/jobs/1/tags/1"),
        ([SUBMIT, with_options(run_at="2026-01-31T12:00:00Z", delay_seconds=1)], "/jobs/1/delay_seconds"),
    ],
    ids=["none", "101", "payload", "missing", "no object", "tag", "both times"],
)
async def test_one_wrong_job_of_a_batch_is_pointed_at_and_none_is_created(
    api: httpx2.AsyncClient, redis: Any, jobs: list[Any], pointer: str
) -> None:
    problem = assert_problem(await api.post("/jobs/batch", json={"jobs": jobs}), 400, "invalid_payload")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert await redis.dbsize() == 0


async def test_an_unknown_type_in_a_batch_is_pointed_at(api: httpx2.AsyncClient, redis: Any) -> None:
    jobs: list[dict[str, Any]] = [SUBMIT, {"type": "nothing", "payload": {}}]
    answer = await api.post("/jobs/batch", json={"jobs": jobs})
    assert assert_problem(answer, 400, "unknown_job_type")["errors"][0]["pointer"] == "/jobs/1/type"
    assert await redis.dbsize() == 0


async def test_a_batch_that_does_not_fit_leaves_nothing(redis: Any, registry: JobRegistry, worlds: Worlds) -> None:
    async with in_process(create_app(JobManager(redis=redis, registry=registry, limit=2), worlds)) as api:
        assert_problem(await api.post("/jobs/batch", json={"jobs": [SUBMIT] * 3}), 503, "queue_full")
        assert await redis.dbsize() == 0
        assert (await api.post("/jobs/batch", json={"jobs": [SUBMIT] * 2})).status_code == 202


async def test_a_repeated_batch_gets_the_jobs_of_the_first(api: httpx2.AsyncClient, redis: Any) -> None:
    body = {"jobs": [SUBMIT, with_options(tags=["b"])]}
    answers = await asyncio.gather(*(api.post("/jobs/batch", json=body, headers=KEY) for _ in range(5)))
    assert len({tuple(job["id"] for job in answer.json()["jobs"]) for answer in answers}) == 1
    assert (await api.post("/jobs/batch", json=body, headers=KEY)).headers["idempotent-replayed"] == "true"
    assert len([key async for key in redis.scan_iter("job:*")]) == 2
    other = await api.post("/jobs/batch", json={"jobs": [SUBMIT]}, headers=KEY)
    assert_problem(other, 422, "idempotency_key_reused")
