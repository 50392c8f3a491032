"""Event streams: what comes, in which order, and what becomes of it when a client or a connection is lost."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from loresmith.jobs import JobManager, Worker
from tests.api.conftest import assert_problem, ended, job_of, reached, submitted
from tests.api.sse import Parser, State, Told, follow, get
from tests.waiting import wait_until

Cue = Callable[[str], asyncio.Event]
Address = tuple[str, int]


def never(_: Told) -> bool:
    return False


async def told_of(address: Address, job_id: str, **headers: str) -> list[Told]:
    answer = await get(address, f"/jobs/{job_id}/events", **headers)
    assert answer.status == 200
    told = [told async for told in answer.events()]
    answer.close()
    return told


async def test_a_stream_tells_the_whole_life(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue
) -> None:
    go = cue("go")
    job_id = await submitted(remote, "wait:go", "item:0", "fail:1", "item:1", "finalize")
    await reached(remote, job_id, "running")
    answer = await get(address, f"/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "private, no-cache"
    told: list[Told] = []
    async for one in answer.events():
        told.append(one)
        go.set()
    answer.close()
    names = [one.name for one in told]
    assert (names[0], names[-1]) == ("snapshot", "done")
    assert names.count("item") == 2
    assert set(names) <= {"snapshot", "status", "progress", "item", "done"}
    assert "retrying" in [one.data["state"] for one in told if one.name == "status"]
    job = await job_of(remote, job_id)
    assert told[-1].data == job
    assert told[-1].id == str(job["seq"])
    state = State()
    for one in told:
        state.take(one)
    assert state.seqs == sorted(set(state.seqs))
    assert state.doubled == []
    assert list(state.items.values()) == job["result"]


async def test_the_last_event_of_a_change_alone_carries_its_id(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue
) -> None:
    go = cue("go")
    job_id = await submitted(remote, "wait:go", "item:0", "item:1", "item:2")
    await reached(remote, job_id, "running")
    state = State()
    opened = asyncio.create_task(follow(address, job_id, state, never))
    await wait_until(lambda: state.job)
    go.set()
    await opened
    told = await told_of(address, job_id)
    assert [(one.name, one.id) for one in told] == [("snapshot", None), ("done", str(state.job["seq"]))]
    assert len(state.items) == 3


async def test_a_client_that_has_seen_the_end_is_told_to_stay_away(
    address: Address, remote: httpx2.AsyncClient, worker: Worker
) -> None:
    job = await ended(remote, await submitted(remote, "item:0"))
    path = f"/jobs/{job['id']}/events"
    for answer in (
        await get(address, path, **{"Last-Event-ID": str(job["seq"])}),
        await get(address, f"{path}?after={job['seq']}"),
    ):
        assert answer.status == 204
        answer.close()
    assert [one.name for one in await told_of(address, job["id"], **{"Last-Event-ID": "1"})] == ["done"]
    assert [one.name for one in await told_of(address, job["id"], **{"Last-Event-ID": "nonsense"})] == [
        "snapshot",
        "done",
    ]


async def test_a_stream_that_is_resumed_where_it_was_goes_on_without_a_snapshot(
    address: Address, remote: httpx2.AsyncClient
) -> None:
    job_id = await submitted(remote)
    seq = (await job_of(remote, job_id))["seq"]
    answer = await get(address, f"/jobs/{job_id}/events", **{"Last-Event-ID": str(seq)})
    assert (await remote.post(f"/jobs/{job_id}/cancel")).status_code == 200
    told = [one async for one in answer.events()]
    answer.close()
    assert [one.name for one in told][-1] == "done"
    assert "snapshot" not in [one.name for one in told]


async def test_there_is_no_stream_of_what_is_not_there(api: httpx2.AsyncClient) -> None:
    assert_problem(await api.get(f"/jobs/{uuid4()}/events"), 404, "job_not_found")
    assert_problem(await api.get("/jobs/x/events"), 404, "job_not_found")
    assert_problem(await api.get(f"/jobs/{await submitted(api)}/events?after=-1"), 400, "bad_request")


async def test_a_cancel_is_told_as_it_happens(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue
) -> None:
    cue("never")
    job_id = await submitted(remote, "wait:never")
    await reached(remote, job_id, "running")
    answer = await get(address, f"/jobs/{job_id}/events")
    states: list[str] = []
    seqs: list[int] = []
    async for one in answer.events():
        states.append(one.data["state"])
        seqs += [int(one.id)] if one.id else []
        if one.name == "snapshot":
            await remote.post(f"/jobs/{job_id}/cancel")
    answer.close()
    assert states[0] == "running"
    assert states[-1] == "cancelled"
    assert "cancelling" in states
    assert seqs == sorted(set(seqs))


async def test_progress_comes_at_most_twice_a_second(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.jobs.writer._SOON_SECONDS", 0.0)
    go = cue("go")
    job_id = await submitted(remote, "wait:go", *(f"item:{i}" for i in range(200)))
    await reached(remote, job_id, "running")
    answer = await get(address, f"/jobs/{job_id}/events")
    times: list[float] = []
    items: list[int] = []
    async for one in answer.events():
        go.set()
        times += [time.monotonic()] if one.name == "progress" else []
        items += [one.data["index"]] if one.name == "item" else []
    answer.close()
    assert items == list(range(200))
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[2:], strict=False))


async def test_a_client_that_vanishes_cancels_nothing_and_leaves_nothing(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, manager: JobManager, cue: Cue
) -> None:
    go = cue("go")
    job_id = await submitted(remote, "wait:go")
    await reached(remote, job_id, "running")
    answers = [await get(address, f"/jobs/{job_id}/events") for _ in range(20)]
    waiting = asyncio.create_task(remote.get(f"/jobs/{job_id}", headers={"If-None-Match": "*", "Prefer": "wait=50"}))
    await wait_until(lambda: _watches(manager) == 21)
    for answer in answers:
        answer.close()
    waiting.cancel()
    await wait_until(lambda: _watches(manager) == 0)
    await wait_until(lambda: not manager._events._channels)
    assert (await job_of(remote, job_id))["state"] == "running"
    go.set()
    assert (await ended(remote, job_id))["status"] == "completed"


def _watches(manager: JobManager) -> int:
    return len(list(manager._events._all()))


async def test_a_silent_stream_shows_that_it_lives(
    address: Address, remote: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.api.event_stream.HEARTBEAT_SECONDS", 0.05)
    answer = await get(address, f"/jobs/{await submitted(remote)}/events")
    parser = Parser()
    async for chunk in answer.body():
        parser.feed(chunk)
        if parser.comments == 3:
            break
    answer.close()


async def test_a_lost_message_costs_a_look_and_nothing_else(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loresmith.jobs.following.LOOK_SECONDS", 0.2)
    go = cue("go")
    job_id = await submitted(remote, "wait:go", "item:0")
    await reached(remote, job_id, "running")
    state = State()
    opened = asyncio.create_task(follow(address, job_id, state, never))
    await wait_until(lambda: state.job)
    monkeypatch.setattr("loresmith.jobs.events.Events._take", lambda *_: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    go.set()
    await opened
    assert (state.job["status"], len(state.items)) == ("completed", 1)


async def test_a_cut_subscription_is_made_again_and_nothing_is_lost(
    address: Address, remote: httpx2.AsyncClient, worker: Worker, redis: Any, cue: Cue
) -> None:
    first, second = cue("first"), cue("second")
    job_id = await submitted(remote, "wait:first", "item:0", "wait:second", "item:1")
    await reached(remote, job_id, "running")
    state = State()
    opened = asyncio.create_task(follow(address, job_id, state, never))
    await wait_until(lambda: state.job)
    for go, count in ((first, 1), (second, 2)):
        await _kill_subscribers(redis)
        go.set()
        await wait_until(lambda count=count: len(state.items) == count)
    await opened
    assert state.job["status"] == "completed"
    assert state.seqs == sorted(set(state.seqs))


async def _kill_subscribers(redis: Any) -> None:
    for client in await redis.client_list():
        if client["cmd"] in ("subscribe", "ping") and int(client["sub"]) > 0:
            await redis.execute_command("CLIENT", "KILL", "ID", client["id"])


async def test_a_stream_outlives_the_restart_of_nothing_but_ends_with_the_process(
    address: Address, remote: httpx2.AsyncClient, manager: JobManager
) -> None:
    job_id = await submitted(remote)
    answer = await get(address, f"/jobs/{job_id}/events")
    events = answer.events()
    assert (await anext(events)).name == "snapshot"
    manager.release_waiters()
    assert [one async for one in events] == []
    answer.close()
    held = await remote.get(f"/jobs/{job_id}", headers={"If-None-Match": "*", "Prefer": "wait=50"})
    assert held.status_code == 304
