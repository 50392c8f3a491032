"""The request rate of an owner: exact in a process, shared by all, told in the headers of the IETF draft."""

import asyncio
import math
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loresmith.api.rate import Charge, Quota, RateLimiter
from loresmith.api.refreshed import AwayError
from loresmith.api.shared import Shared, rate_key
from loresmith.bootstrap import connect
from loresmith.db import Database
from loresmith.jobs import JobRegistry
from tests.api.conftest import assert_problem
from tests.api.guarded import guarded, submitted_by


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limiter(per_minute: int, charge: Charge | None = None) -> tuple[RateLimiter, Clock]:
    clock = Clock()
    return RateLimiter(Quota(per_minute), charge, clock=clock), clock


@given(per_minute=st.integers(1, 100_000), gaps=st.lists(st.floats(0, 90), max_size=80))
def test_no_stretch_of_time_holds_more_than_a_burst_and_what_flows_in(per_minute: int, gaps: list[float]) -> None:
    one, clock = limiter(per_minute)
    taken: list[float] = []
    for gap in gaps:
        clock.now += gap
        while len(taken) < 150 and one.spend("anna").allowed:
            taken.append(clock.now)
    quota = one.quota
    for first in range(0, len(taken), 7):
        for last in range(first, len(taken), 13):
            seconds = taken[last] - taken[first]
            assert last - first + 1 <= quota.burst + seconds * per_minute / 60 + 1e-6


@given(per_minute=st.integers(1, 100_000), spent=st.integers(0, 200), waited=st.floats(0, 60))
def test_what_is_said_of_the_quota_is_true(per_minute: int, spent: int, waited: float) -> None:
    one, clock = limiter(per_minute)
    for _ in range(spent):
        one.spend("anna")
    clock.now += waited
    verdict = one.spend("anna")
    if verdict.allowed:
        allowed = [one.spend("anna").allowed for _ in range(min(verdict.remaining, 300) + 1)]
        assert all(allowed[:-1])
        assert verdict.remaining >= 300 or not allowed[-1]
    else:
        clock.now += verdict.retry_after_seconds
        assert one.spend("anna").allowed


def test_after_the_time_that_is_told_the_whole_quota_is_there_again() -> None:
    one, clock = limiter(600)
    verdicts = [one.spend("anna") for _ in range(101)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 100 + [False]
    assert one.policy == b'"owner";q=100;w=10'
    clock.now += verdicts[-2].reset_seconds
    assert [one.spend("anna").allowed for _ in range(101)] == [True] * 100 + [False]


def test_owners_do_not_share_a_quota() -> None:
    one, _ = limiter(60)
    while one.spend("anna").allowed:
        pass
    assert one.spend("bob").allowed


async def test_processes_tell_each_other_and_keep_one_quota_together(redis: Any) -> None:
    shared = Shared(redis)
    processes = [RateLimiter(Quota(600), shared.charge, clock=Clock()) for _ in range(3)]
    for process in processes[:2]:
        assert all(process.spend("anna").allowed for _ in range(60))
    for process in (*processes[:2], processes[0]):
        process.spend("anna")  # so that there is something to tell
        process._untold["anna"].untold = max(process._untold["anna"].untold, 5)
        await process.tell()
    assert not processes[0].spend("anna").allowed, "120 and more were let through, 100 are allowed at once"
    assert not processes[1].spend("anna").allowed
    stands = await shared.charge("anna", 0, 0.1)
    assert 11.5 < stands < 14
    assert 0 < await redis.pttl(rate_key("anna")) <= 14_000
    for process in processes:
        await process.close()


async def test_in_the_long_run_several_processes_let_through_no_more_than_one_would() -> None:
    """A model of Redis with the clock of the test: what each lets through is counted for all."""
    clock, free_at = Clock(), [0.0]

    async def charge(_account: str, count: int, interval: float) -> float:
        free_at[0] = max(clock.now, free_at[0]) + count * interval
        return free_at[0] - clock.now

    processes = [RateLimiter(Quota(600), charge, clock=clock) for _ in range(4)]
    taken = 0
    for _ in range(240):  # two minutes in steps of half a second, each asking for much more than there is
        for process in processes:
            taken += sum(process.spend("anna").allowed for _ in range(100))
            await process.tell()
        clock.now += 0.5
    bursts = len(processes) * processes[0].quota.burst
    assert 1200 <= taken <= 1200 + bursts
    for process in processes:
        await process.close()


async def test_little_use_is_told_seldom() -> None:
    told: list[int] = []

    async def charge(_account: str, count: int, interval: float) -> float:
        told.append(count)
        return count * interval

    one, clock = limiter(3000, charge)
    for _ in range(60):  # a poll every 3 s, for three minutes
        assert one.spend("anna").allowed
        await one.tell()
        clock.now += 3
    assert len(told) <= 16
    await one.close()


async def test_while_redis_is_away_each_process_keeps_the_quota_by_itself() -> None:
    async def away(*_: object) -> float:
        raise AwayError("redis")

    one, clock = limiter(600, away)
    assert sum(one.spend("anna").allowed for _ in range(500)) == 100
    await one.tell()
    assert not one.spend("anna").allowed
    clock.now += 10
    assert sum(one.spend("anna").allowed for _ in range(500)) == 100
    await one.close()


async def test_a_redis_that_cannot_be_reached_is_away() -> None:
    async with connect("redis://127.0.0.1:1/0") as nowhere:
        shared = Shared(nowhere)
        for call in (shared.charge("anna", 1, 1.0), shared.secret()):
            with pytest.raises(AwayError):
                await call


async def test_answers_tell_what_is_left_and_beyond_it_when_to_come_back(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database, owner_requests_per_minute=60) as api:
        anna, bob = await api.owner("anna"), await api.owner("bob")
        first = await anna.get("/jobs")
        assert first.headers["ratelimit-policy"] == '"owner";q=10;w=10'
        assert first.headers["ratelimit"] == '"owner";r=9;t=1'
        paths = ("/jobs", f"/jobs/{uuid4()}", "/nowhere-of-jobs", "/worlds", f"/jobs/{uuid4()}/events")
        answers = await asyncio.gather(*(anna.get(path) for path in paths * 6))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(refused) == 24 - 9, "a path that is none counts for nobody"
        for answer in refused:
            problem = assert_problem(answer, 429, "rate_limited")
            assert problem["retryable"]
            assert 1 <= int(answer.headers["retry-after"]) <= 2
            assert answer.headers["ratelimit"].startswith('"owner";r=0;t=')
        assert_problem(await anna.post("/jobs", json={"type": "play", "payload": {}}), 429, "rate_limited")
        assert (await bob.get("/jobs")).status_code == 200
        assert (await anna.get("/healthz")).status_code == 200


async def test_requests_with_the_token_of_a_job_count_for_its_owner(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database, owner_requests_per_minute=60) as api:
        anna = await api.owner("anna")
        job_id = await submitted_by(anna)
        token = (await anna.post(f"/jobs/{job_id}/tokens")).json()["token"]
        browser = await api.client(token)
        assert (await browser.get(f"/jobs/{job_id}")).headers["ratelimit"].startswith('"owner";r=7;')


async def test_the_local_owner_is_not_counted_unless_the_settings_say_so(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    async with guarded(redis, registry, database, auth="none") as api:
        answer = await (await api.client()).get("/jobs")
        assert "ratelimit" not in answer.headers
    async with guarded(redis, registry, database, auth="none", owner_requests_per_minute=6) as api:
        answers = [(await (await api.client()).get("/jobs")).status_code for _ in range(3)]
        assert answers == [200, 429, 429]
    async with guarded(redis, registry, database, owner_requests_per_minute=0) as api:
        assert "ratelimit" not in (await (await api.owner("anna")).get("/jobs")).headers


def test_a_burst_is_what_ten_seconds_bring() -> None:
    assert [Quota(n).burst for n in (1, 6, 7, 60, 3000)] == [1, 1, 2, 10, 500]
    assert all(math.isclose(Quota(n).window_seconds, 10, rel_tol=0.2) for n in (6, 60, 3000))
