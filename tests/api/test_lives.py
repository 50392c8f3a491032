"""The invariants of the contract, over random lives of jobs as clients see them."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loresmith.jobs import Worker
from tests.api.conftest import job_of, submitted
from tests.api.sse import State, Told, follow

Address = tuple[str, int]

STATUS_OF = {
    "queued": "pending",
    "scheduled": "pending",
    "running": "processing",
    "retrying": "processing",
    "cancelling": "processing",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


@dataclass(frozen=True)
class Life:
    """What a job is told to do, and what is done to it meanwhile."""

    steps: list[str]
    delay_seconds: float
    cancel_after: int | None
    """How many looks at the job come before its cancel."""
    cuts: int
    """How many events a follower takes before it loses its connection."""
    retries: int


STEP = st.one_of(
    st.integers(0, 5).map("item:{}".format),
    st.floats(0, 1).map("report:{}".format),
    st.integers(1, 3).map("fail:{}".format),
    st.sampled_from(["finalize", "refuse", "rest", "rest", "rest"]),
)
LIFE = st.builds(
    Life,
    steps=st.lists(STEP, max_size=12),
    delay_seconds=st.sampled_from([0.0, 0.0, 0.05]),
    cancel_after=st.none() | st.integers(0, 6),
    cuts=st.integers(1, 9),
    retries=st.integers(0, 2),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=st.lists(LIFE, min_size=4, max_size=10))
async def test_what_a_client_may_rely_on_holds_over_every_life(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, lives: list[Life]
) -> None:
    async def live(life: Life) -> None:
        job_id = await submitted(remote, *life.steps, delay_seconds=life.delay_seconds)
        job = await _lived(address, remote, job_id, life)
        for _ in range(life.retries if job["status"] == "failed" else 0):
            again = (await remote.post(f"/jobs/{job['id']}/retry")).json()
            assert again["retry_of"] == job["id"]
            assert len(again["items"]) >= len(job["items"])
            if (job := await _lived(address, remote, again["id"], life))["status"] != "failed":
                break

    await asyncio.gather(*(live(life) for life in lives))


async def _lived(address: Address, remote: httpx2.AsyncClient, job_id: str, life: Life) -> dict[str, Any]:
    """Look at a job until it has ended, cancel it on the way, follow it beside that; check all that is seen."""
    following = asyncio.create_task(_followed(address, job_id, life.cuts))
    seen: list[dict[str, Any]] = []
    while not seen or not seen[-1]["done"]:
        if len(seen) == life.cancel_after:
            assert (await remote.post(f"/jobs/{job_id}/cancel")).status_code in (200, 202)
        seen.append(await job_of(remote, job_id))
        _hold_in(seen[-1])
    state = await following
    seen.append(await job_of(remote, job_id))
    for before, after in pairwise(seen):
        _hold_between(before, after)
    assert state.job == seen[-1]
    assert state.seqs == sorted(set(state.seqs))
    if life.cancel_after is not None and len(seen) - 1 > life.cancel_after:
        assert seen[-1]["state"] in ("cancelled", "completed", "failed")
    return seen[-1]


async def _followed(address: Address, job_id: str, cuts: int) -> State:
    state, left = State(), cuts

    def cut(told: Told) -> bool:
        nonlocal left
        _hold_in_event(told)
        left -= 1
        return left == 0

    while (await follow(address, job_id, state, cut)).status == 200:
        pass
    return state


def _hold_in_event(told: Told) -> None:
    if told.name in ("snapshot", "done"):
        _hold_in(told.data)
    assert told.id is None or int(told.id) == told.data["seq"]


def _hold_in(job: dict[str, Any]) -> None:
    """What must hold of a job at any moment."""
    status, done = job["status"], job["done"]
    assert status == STATUS_OF[job["state"]]
    assert done == (status in ("completed", "failed"))
    assert done == ("completed_at" in job) == (job["expires_at"] is not None)
    assert job["result"] is None or status == "completed"
    assert ("error" in job) == ("error_detail" in job) == (status == "failed")
    assert (job["progress"] == 100) == (status == "completed")
    assert (job["queue"] is not None) == (status == "pending")
    assert 0 <= job["progress"] <= 100


def _hold_between(before: dict[str, Any], after: dict[str, Any]) -> None:
    """What must hold of a job and of itself later."""
    assert after["progress"] >= before["progress"]
    assert after["seq"] >= before["seq"]
    same = {**after, "queue": None} == {**before, "queue": None}
    assert same == (after["seq"] == before["seq"])
    assert not before["done"] or same
    assert {"pending": 0, "processing": 1}.get(after["status"], 2) >= {"pending": 0, "processing": 1}.get(
        before["status"], 2
    )


def test_every_state_has_a_status() -> None:
    from loresmith.jobs import State as JobState

    assert set(STATUS_OF) == set(JobState)
