"""Submit and read: what a client gets, from the first answer to the result."""

import asyncio
from typing import Any

import httpx2
import orjson

from loresmith.api import create_app
from loresmith.db import Worlds
from loresmith.jobs import JobManager, JobRegistry, Worker
from loresmith.jobs.connection import Connections
from tests.api.conftest import assert_problem, in_process
from tests.waiting import wait_until

CORE = {
    "type": "write_verses",
    "status": "pending",
    "progress": 0,
    "message": "Preparing your request...",
}
SUBMIT = {"type": "write_verses", "payload": {"about": "rain"}}


async def test_a_submit_answers_with_the_job_and_where_to_find_it(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/jobs", json=SUBMIT)
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert job.items() >= CORE.items()
    assert job["created_at"].endswith("Z")
    path = f"/jobs/{job['id']}"
    assert job["links"] == {"self": path, "events": f"{path}/events", "cancel": f"{path}/cancel"}
    assert job["queue"] == {"position": 1, "expected_start": None}
    read = await api.get(answer.headers["location"])
    assert read.status_code == 200
    assert read.json() == job


async def test_a_submit_tells_the_place_of_the_new_job(api: httpx2.AsyncClient) -> None:
    """Asked for with the submit; one that is not due yet, and a repeated submit, have the place that a read tells."""
    bodies = [SUBMIT, SUBMIT, SUBMIT | {"delay_seconds": 3600}, SUBMIT]
    jobs = [
        (await api.post("/jobs", json=body, headers={"idempotency-key": f"{n}"})).json()
        for n, body in enumerate(bodies)
    ]
    assert [job["queue"]["position"] for job in jobs] == [1, 2, 3, 3]
    again = (await api.post("/jobs", json=SUBMIT, headers={"idempotency-key": "1"})).json()
    assert again["queue"]["position"] == 2
    for job in jobs[:2] + jobs[3:]:
        assert (await api.get(f"/jobs/{job['id']}")).json()["queue"] == job["queue"]


async def test_the_job_is_stored_as_json_for_at_most_a_day(api: httpx2.AsyncClient, redis: Any) -> None:
    job = (await api.post("/jobs", json=SUBMIT)).json()
    stored = orjson.loads(await redis.get(f"job:{job['id']}"))
    assert stored == {name: value for name, value in job.items() if name not in ("items", "links", "queue")}
    assert 86_000 < await redis.ttl(f"job:{job['id']}") <= 86_400


async def test_a_job_is_read_until_its_result_is_there(
    api: httpx2.AsyncClient, redis_url: str, registry: JobRegistry
) -> None:
    path = (await api.post("/jobs", json=SUBMIT)).headers["location"]
    async with asyncio.TaskGroup() as tasks:
        worker = Worker(connections=Connections(redis_url), registry=registry, resources={})
        tasks.create_task(worker.run())

        async def ended() -> httpx2.Response | None:
            answer = await api.get(path)
            return answer if answer.json()["done"] else None

        answer = await wait_until(ended)
        worker.stop()
    assert answer is not None
    job = answer.json()
    assert (job["status"], job["progress"], job["message"]) == ("completed", 100, "Job completed successfully")
    assert job["result"] == [{"text": "rain 0"}, {"text": "rain 1"}]
    assert job["completed_at"] < job["expires_at"]
    assert "retry-after" not in answer.headers
    assert "error" not in job


async def test_what_the_client_has_already_is_not_sent_again(api: httpx2.AsyncClient) -> None:
    submitted = await api.post("/jobs", json=SUBMIT)
    path, etag = submitted.headers["location"], submitted.headers["etag"]
    assert etag == 'W/"1"'
    for tags in (etag, '"1"', f'"7", {etag}', "*"):
        answer = await api.get(path, headers={"If-None-Match": tags})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert (await api.get(path, headers={"If-None-Match": 'W/"2"'})).status_code == 200


async def test_fifty_submits_at_once_are_all_accepted(remote: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(remote.post("/jobs", json=SUBMIT) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    paths = {answer.headers["location"] for answer in answers}
    assert len(paths) == 50
    reads = await asyncio.gather(*(remote.get(path) for path in paths))
    assert {read.json()["status"] for read in reads} == {"pending"}


async def test_a_full_queue_is_a_reason_to_come_back(redis: Any, registry: JobRegistry, worlds: Worlds) -> None:
    async with in_process(create_app(JobManager(redis=redis, registry=registry, limit=1), worlds)) as api:
        assert (await api.post("/jobs", json=SUBMIT)).status_code == 202
        keys = await redis.dbsize()
        answer = await api.post("/jobs", json=SUBMIT)
        problem = assert_problem(answer, 503, "queue_full")
        assert problem["retryable"] is True
        assert int(answer.headers["retry-after"]) > 0
        assert await redis.dbsize() == keys


async def test_the_list_of_job_types_says_what_each_needs(api: httpx2.AsyncClient) -> None:
    listed = {one["name"]: one for one in (await api.get("/job-types")).json()["data"]}
    verses = listed["write_verses"]
    assert verses["description"] == "Verses for tests"
    assert verses["expected_seconds"] == 1
    assert verses["payload_schema"]["properties"]["count"]["maximum"] == 10
    assert verses["item_schema"]["required"] == ["text"]
    assert "generate_characters" in listed
