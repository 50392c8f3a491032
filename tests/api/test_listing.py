"""Listings: newest first, filtered, page by page, and several jobs by their ids."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from loresmith.jobs import JobManager, Listing, Options, Worker
from tests.api.conftest import assert_problem, ended, submitted


async def listed(api: httpx2.AsyncClient, **query: Any) -> list[str]:
    """Return the ids of all pages."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = await api.get("/jobs", params={**query, **more})
        assert answer.status_code == 200, answer.text
        found += [job["id"] for job in answer.json()["data"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def test_jobs_are_listed_newest_first_page_by_page(api: httpx2.AsyncClient) -> None:
    batch: dict[str, Any] = {"jobs": [{"type": "play", "payload": {"steps": []}}] * 25}
    same_moment = [job["id"] for job in (await api.post("/jobs/batch", json=batch)).json()["jobs"]]
    later = [await submitted(api) for _ in range(5)]
    for limit in (1, 7, 30, 100):
        found = await listed(api, limit=limit)
        assert set(found[:5]) == set(later)
        assert sorted(found) == sorted([*same_moment, *later])
    page = (await api.get("/jobs")).json()
    assert len(page["data"]) == 20
    assert page["data"][0] == (await api.get(f"/jobs/{page['data'][0]['id']}")).json()


async def test_a_page_goes_on_although_the_job_it_ended_with_was_deleted(
    api: httpx2.AsyncClient, manager: JobManager
) -> None:
    ids = [await submitted(api) for _ in range(6)]
    page = (await api.get("/jobs", params={"limit": 3})).json()
    last = page["data"][-1]["id"]
    await manager.cancel(last)
    await manager.delete(last)
    rest = await listed(api, cursor=page["next_cursor"])
    assert sorted([*(job["id"] for job in page["data"]), *rest]) == sorted(ids)


async def test_filters_choose(api: httpx2.AsyncClient, worker: Worker) -> None:
    done = await submitted(api, tags=["a"])
    failed = await submitted(api, "refuse", tags=["a", "b"])
    for job_id in (done, failed):
        await ended(api, job_id)
    waits = await submitted(api, delay_seconds=1000)
    other = (await api.post("/jobs", json={"type": "write_verses", "payload": {"about": "x"}})).json()["id"]
    await ended(api, other)
    assert await listed(api, status="completed", type="play") == [done]
    assert await listed(api, state="scheduled") == [waits]
    assert await listed(api, type="write_verses") == [other]
    assert await listed(api, tag="a") == [failed, done]
    assert await listed(api, tag="a", status="failed") == [failed]
    assert await listed(api, tag="nothing") == []
    created = (await api.get(f"/jobs/{failed}")).json()["created_at"]
    assert await listed(api, created_after=created) == [other, waits]


async def test_the_time_a_job_shows_decides_not_when_it_was_noted(api: httpx2.AsyncClient, redis: Any) -> None:
    job_id = await submitted(api)
    created = (await api.get(f"/jobs/{job_id}")).json()["created_at"]
    for index in [key async for key in redis.scan_iter("jobs:{*}")]:
        await redis.zincrby(index, 5, job_id)
    assert await listed(api, created_after=created) == []


async def test_a_filter_that_fits_few_of_many_costs_a_short_page(api: httpx2.AsyncClient) -> None:
    rare = await submitted(api, tags=["rare"])
    for _ in range(11):
        batch: dict[str, Any] = {"jobs": [{"type": "play", "payload": {"steps": []}}] * 100}
        assert (await api.post("/jobs/batch", json=batch)).status_code == 202
    page = (await api.get("/jobs", params={"tag": "rare"})).json()
    assert page["data"] == []
    assert page["next_cursor"]
    assert await listed(api, tag="rare") == [rare]


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "state=lost",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=%D9%A1",
        "created_after=yesterday",
        "created_after=2026-01-31T12:00:00",
        "cursor=x",
        "cursor=%00",
        "cursor=MTox",
        "status=failed&status=completed",
        "ids=",
        "ids=a,,b",
        "ids=a&limit=3",
        "ids=a&ids=b",
        "ids=" + ",".join(map(str, range(101))),
    ],
    ids=lambda text: text[:30],
)
async def test_a_query_that_cannot_be_is_refused(api: httpx2.AsyncClient, query: str) -> None:
    assert_problem(await api.get(f"/jobs?{query}"), 400, "bad_request")


async def test_jobs_are_read_by_their_ids_in_one_request(api: httpx2.AsyncClient) -> None:
    ids = [await submitted(api) for _ in range(99)]
    unknown = str(uuid4())
    answer = (await api.get("/jobs", params={"ids": ",".join([*ids[:50], unknown, *ids[50:]])})).json()
    assert [job["id"] for job in answer["data"]] == ids
    assert answer["missing"] == [unknown]
    assert answer["data"][7] == (await api.get(f"/jobs/{ids[7]}")).json()
    assert (await api.get("/jobs?ids=x,x,}")).json() == {"data": [], "missing": ["x", "}"]}


async def test_owners_see_their_own_and_who_may_see_all_sees_all(manager: JobManager) -> None:
    mine = await manager.create("play", {}, Options(owner="me"))
    theirs = await manager.create("play", {}, Options(owner="them"))

    async def ids(owner: str | None) -> list[str]:
        return [view.glance.id for view in (await manager.list(Listing(), owner=owner)).jobs]

    assert await ids("me") == [mine.id]
    assert await ids("them") == [theirs.id]
    assert await ids("nobody") == []
    assert set(await ids(None)) == {mine.id, theirs.id}
    assert await manager.view_many([mine.id, theirs.id], owner="nobody") == [None, None]
