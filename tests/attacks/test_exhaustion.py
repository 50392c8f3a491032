"""Attacks on what all owners share: the event loop, memory, and connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from loresmith.api.connections import Connections, Patience
from loresmith.api.guard import KeyGuard
from loresmith.api.rate import Quota, RateLimiter
from loresmith.db import Database
from loresmith.jobs import JobRegistry
from loresmith.setting_types import networks
from tests.api.conftest import assert_problem
from tests.api.guarded import guarded
from tests.attacks.costs import HELD_SECONDS, MOST_BYTES, cost_of, memory_of
from tests.attacks.fuzzing import asks
from tests.attacks.serving import served
from tests.attacks.stage import stage
from tests.attacks.worst import jobs_of, worst
from tests.waiting import wait_until

JSON = {"Content-Type": "application/json"}


async def test_no_request_holds_the_loop_or_takes_much_memory(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    """The worst of each route; `make test-costs` makes up many more."""
    async with stage(redis, registry, database) as one:
        for name, ask in worst(one.stock).items():
            await one.send(ask)  # documents are rendered, scripts are loaded
            cost, memory = await cost_of(one.app, ask, one.bearer), await memory_of(one.app, ask, one.bearer)
            assert cost.status != 500, name
            assert cost.held_seconds < HELD_SECONDS, name
            assert memory < MOST_BYTES, name


@pytest.mark.parametrize("count", [25, pytest.param(2_000, marks=pytest.mark.long)])
async def test_made_up_requests_are_cheap(redis: Any, registry: JobRegistry, database: Database, count: int) -> None:
    async with stage(redis, registry, database) as one:
        for ask in asks(one.stock, count):
            cost = await cost_of(one.app, ask, one.bearer)
            assert cost.status != 500, ask
            assert cost.held_seconds < HELD_SECONDS, ask
            assert await memory_of(one.app, ask, one.bearer) < MOST_BYTES, ask


async def test_documents_are_rendered_once_and_sent_once(redis: Any, registry: JobRegistry, database: Database) -> None:
    async with guarded(redis, registry, database) as api:
        anna = await api.owner("anna")
        for path in ("/job-types", "/openapi.json", "/docs"):
            first, *others = await asyncio.gather(*(anna.get(path) for _ in range(5)))
            assert {one.content for one in others} == {first.content}
            again = await anna.get(path, headers={"If-None-Match": f"W/{first.headers['etag']}"})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


async def test_errors_stop_after_20_and_echo_200_characters(
    redis: Any, registry: JobRegistry, database: Database
) -> None:
    long = "x" * 1_000
    async with guarded(redis, registry, database) as api:
        anna = await api.owner("anna")
        play: dict[str, Any] = {"type": "play", "payload": {"steps": []}}
        bodies: list[dict[str, Any]] = [
            {**play, **{f"{long}{number}": 1 for number in range(30)}},
            {**play, **{f"{long}{number}": 1 for number in range(100)}},
            {"type": "play", "payload": {f"{long}{number}": 1 for number in range(100)}},
            {"type": "play", "payload": {"steps": [{long: long}] * 100}},
            {**play, "webhook": {long: 1}},
            {**play, "priority": long},
            {"type": long, "payload": {}},
        ]
        for body in bodies:
            answer = await anna.post("/jobs", json=body)
            batch = await anna.post("/jobs/batch", json={"jobs": [body] * 5})
            for one in (answer, batch):
                assert one.status_code == 400
                assert len(one.json()["errors"]) <= 20
                assert "x" * 201 not in one.text


@pytest.mark.parametrize("before", [b"", b"\\\\", b'\\"'])
async def test_values_are_counted_outside_strings_only(
    redis: Any, registry: JobRegistry, database: Database, before: bytes
) -> None:
    """Neither quotation marks in strings nor strings full of commas deceive the count."""
    async with guarded(redis, registry, database) as api:
        anna = await api.owner("anna")

        async def submitted(words: bytes) -> httpx2.Response:
            body = b'{"type":"write_verses","payload":{"about":"a","words":{"t":"%b","l":%b}}}' % (before, words)
            return await anna.post("/jobs", content=body, headers=JSON)

        assert (await submitted(b'"' + b",[{" * 20_000 + b'"')).status_code == 202
        assert_problem(await submitted(b"[" + b"1," * 5_000 + b"1]"), 413, "payload_too_large")


async def test_a_batch_counts_as_its_jobs(redis: Any, registry: JobRegistry, database: Database) -> None:
    async with guarded(redis, registry, database, owner_requests_per_minute=1200) as api:
        anna = await api.owner("anna")

        async def batch() -> httpx2.Response:
            return await anna.post("/jobs/batch", content=jobs_of(80, "short"), headers=JSON)

        first = await batch()
        assert first.headers["ratelimit"].startswith('"owner";r=120;')
        assert (await batch()).status_code == 202
        refused = await batch()
        assert "this one counts as 80" in assert_problem(refused, 429, "rate_limited")["detail"]
        assert (await anna.get("/me")).status_code == 200


async def test_lists_count_by_the_jobs_that_are_read(redis: Any, registry: JobRegistry, database: Database) -> None:
    async with guarded(redis, registry, database) as api:
        anna = await api.owner("anna")
        await anna.post("/jobs/batch", content=jobs_of(100, "short"), headers=JSON)
        assert isinstance(api.access.guard, KeyGuard)
        api.access.guard._limiter = RateLimiter(Quota(3000), clock=lambda: 0.0)
        assert (await anna.get("/jobs?limit=1")).headers["ratelimit"].startswith('"owner";r=499;')
        assert (await anna.get("/jobs?tag=none")).headers["ratelimit"].startswith('"owner";r=494;')


def test_a_request_dearer_than_a_burst_is_let_through_once() -> None:
    now = [0.0]
    limiter = RateLimiter(Quota(60), clock=lambda: now[0])
    assert limiter.spend("anna", 100).allowed
    refused = limiter.spend("anna", 1)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after_seconds == 91
    now[0] = 91.0
    assert limiter.spend("anna", 1).allowed


async def echo(_: Any, receive: Any, send: Any) -> None:
    """Read the body, then answer with much."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _number in range(400):
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def hasty() -> AsyncIterator[tuple[str, int]]:
    async with served(echo, Connections(patience=Patience(0.2, 0.2, 0.2))) as address:
        yield address


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ],
    ids=["nothing", "a blank line", "half a head", "half a body", "half a chunk"],
)
async def test_a_request_that_never_ends_is_ended(hasty: tuple[str, int], sent: bytes) -> None:
    reader, writer = await asyncio.open_connection(*hasty)
    writer.write(sent)
    async with asyncio.timeout(20):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_reader_that_never_reads_is_cut_off() -> None:
    bounds = Connections(most=10, patience=Patience(20, 20, 0.2))
    async with served(echo, bounds) as address:
        with socket.create_connection(address) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await wait_until(lambda: bounds._open)
            await wait_until(lambda: not bounds._open)
            with pytest.raises(ConnectionResetError):  # noqa: PT012 - what came before the end may be read
                while slow.recv(65_536):
                    pass


async def test_an_address_has_so_many_connections_and_no_more() -> None:
    bounds = Connections(most=2, trusted=networks("192.0.2.0/24"))
    assert [bounds.admit("198.51.100.7") for _ in range(3)] == [True, True, False]
    assert bounds.admit("198.51.100.8"), "another address"
    bounds.leave("198.51.100.7")
    bounds.leave("198.51.100.7")
    assert bounds.admit("198.51.100.7")
    for own in ("192.0.2.1", "127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert all(bounds.admit(own) for _ in range(10)), own


async def test_a_connection_too_many_is_answered_429(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = Connections(most=1)

    def is_trusted(_bounds: Connections, _address: str) -> bool:
        return False

    monkeypatch.setattr(Connections, "_is_trusted", is_trusted)
    async with served(echo, bounds) as address:
        first = await asyncio.open_connection(*address)
        await wait_until(lambda: bounds._open)
        reader, writer = await asyncio.open_connection(*address)
        assert (await reader.read()).startswith(b"HTTP/1.1 429 ")
        for one in (first[1], writer):
            one.close()
        await wait_until(lambda: not bounds._open)
