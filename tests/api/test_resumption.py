"""A stream that is cut anywhere and resumed ends as one that was not: nothing is lost, nothing doubled."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx2

from loresmith.jobs import Worker
from tests.api.conftest import ended, job_of, reached, submitted
from tests.api.sse import Parser, State, Told, follow, whole_stream
from tests.waiting import wait_until

Cue = Callable[[str], asyncio.Event]
Address = tuple[str, int]

STEPS = ["wait:go", "item:0", "report:0.3", "item:1", "fail:1", "item:2", "report:0.9", "finalize", "item:3"]


def never(_: Told) -> bool:
    return False


class Cut:
    """Tells when so many events have come."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, _: Told) -> bool:
        self._left -= 1
        return self._left <= 0


def has_ended(state: State, job: dict[str, Any]) -> None:
    """Check that a client knows what a read tells, and was told each thing once."""
    assert state.job == job
    assert [state.items[index] for index in sorted(state.items)] == (job["result"] or job["items"])
    assert state.seqs == sorted(set(state.seqs))
    assert state.doubled == []


async def test_a_stream_cut_at_every_byte_ends_in_the_same_state(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue
) -> None:
    go = cue("go")
    job_id = await submitted(remote, *STEPS)
    await reached(remote, job_id, "running")
    recorded = await whole_stream(address, job_id, go)
    job = await job_of(remote, job_id)
    parser, state = Parser(), State()
    await _resumes_from(address, job, state)
    for cut in range(len(recorded)):  # byte by byte; between two events a client knows what it knew before
        for told in parser.feed(recorded[cut : cut + 1]):
            state.take(told)
            await _resumes_from(address, job, state)
    has_ended(state, job)


async def _resumes_from(address: Address, job: dict[str, Any], state: State) -> None:
    """Check that a client with this state that comes back ends as one that never went away."""
    client = deepcopy(state)
    assert (await follow(address, job["id"], client, never)).status in (200, 204)
    has_ended(client, job)


async def test_a_live_stream_cut_after_every_event_ends_in_the_same_state(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue
) -> None:
    async def cut_after(events: int) -> None:
        go = cue(f"go{events}")  # one for each: what has begun late would else be over before it is looked at
        job_id = await submitted(remote, f"wait:go{events}", *STEPS[1:])
        await reached(remote, job_id, "running")
        state = State()
        cut = asyncio.create_task(follow(address, job_id, state, Cut(events)))
        await wait_until(lambda: state.job)
        go.set()
        await cut
        assert (await follow(address, job_id, state, never)).status in (200, 204)
        has_ended(state, await ended(remote, job_id))

    await asyncio.gather(*(cut_after(events) for events in range(1, 12)))


async def test_a_live_stream_cut_after_each_event_again_and_again_ends_in_the_same_state(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue
) -> None:
    go = cue("go")
    job_id = await submitted(remote, *STEPS)
    await reached(remote, job_id, "running")
    state = State()
    await follow(address, job_id, state, Cut(1))
    go.set()
    while (await follow(address, job_id, state, Cut(1))).status != 204:
        pass
    has_ended(state, await job_of(remote, job_id))
