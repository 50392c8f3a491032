"""A stream that is cut anywhere ends as one that was not: the same job, no item lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import httpx2
import orjson
import pytest

from loresmith.client import AsyncJobsClient, JobsClient, Update
from loresmith.jobs import Worker
from tests.api.conftest import job_of, reached, submitted
from tests.api.sse import whole_stream
from tests.client.conftest import Either, Flavours

Cue = Callable[[str], asyncio.Event]
Address = tuple[str, int]
STEPS = ["wait:go", "item:1", "report:0.3", "item:0", "fail:1", "item:2", "report:0.9", "finalize", "item:3"]
SPEED = 50
"""How much faster than on the wall time goes for a client that waits before it reconnects."""


def has_all(updates: list[Update], job: dict[str, Any]) -> None:
    """Check that a client has seen the whole of a job, and each thing once."""
    assert updates[-1].job.document == job
    told = [orjson.dumps(item) for update in updates for item in update.new_items]
    assert Counter(told) == Counter(orjson.dumps(item) for item in job["result"])
    seqs = [update.job.seq for update in updates]
    assert seqs == sorted(seqs)
    assert sum(update.job.done for update in updates) == 1


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The beginning of a stream, which then ends or breaks off."""

    def __init__(self, body: bytes, *, breaks: bool) -> None:
        self._body, self._breaks = body, breaks

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        if self._breaks:
            raise httpx2.RemoteProtocolError("peer closed connection")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


class Recorded:
    """Plays a stream up to a byte, then what the real server answered to each id that a client can come back with."""

    def __init__(self, whole: bytes, resumed: dict[str, tuple[int, bytes]], job: dict[str, Any]) -> None:
        self.whole, self.resumed, self.job = whole, resumed, job
        self.cut, self.breaks = 0, False
        self.first = True

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=self.job)
        head = {"Content-Type": "text/event-stream"}
        if self.first:
            self.first = False
            return httpx2.Response(200, headers=head, stream=Body(self.whole[: self.cut], breaks=self.breaks))
        status, body = self.resumed[request.headers["Last-Event-ID"]]
        return httpx2.Response(status, headers=head if status == 200 else {}, content=body)


@pytest.fixture
async def recorded(address: Address, remote: httpx2.AsyncClient, worker: Worker, cue: Cue) -> Recorded:
    """The stream of a job, as it was from the first byte to the last."""
    go = cue("go")
    job_id = await submitted(remote, *STEPS)
    await reached(remote, job_id, "running")
    whole = await whole_stream(address, job_id, go)
    job = await job_of(remote, job_id)
    resumed: dict[str, tuple[int, bytes]] = {}
    for seq in range(1, job["seq"] + 1):
        answer = await remote.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": str(seq)})
        resumed[str(seq)] = answer.status_code, answer.content
    return Recorded(whole, resumed, job)


async def test_a_stream_cut_at_every_byte_ends_in_the_same_state(
    recorded: Recorded, scripted: Callable[..., Either]
) -> None:
    client = scripted(recorded)
    assert recorded.whole.count(b"event: item") >= 3
    every = 1 if isinstance(client.client, JobsClient) else 13  # both share what could differ from byte to byte
    for cut in range(0, len(recorded.whole) + 1, every):
        recorded.cut, recorded.breaks, recorded.first = cut, bool(cut % 2), True
        has_all(await client.stream(recorded.job["id"]), recorded.job)


class Cutter:
    """A proxy that cuts its n-th connection after so many bytes of answers; those after the last it lets pass."""

    def __init__(self, target: Address, cuts: list[int]) -> None:
        self._target, self._cuts = target, cuts
        self.used = asyncio.Event()
        """Set by the first connection."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.used.set()
        left = self._cuts.pop(0) if self._cuts else 10**9
        try:
            there, away = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        up = asyncio.create_task(self._pass_on(reader, away, 10**9))
        down = asyncio.create_task(self._pass_on(there, writer, left))
        self._tasks |= {up, down}
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for one in (writer, away):
            one.transport.abort()

    @staticmethod
    async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: int) -> None:
        with suppress(OSError):
            while left > 0 and (chunk := await source.read(min(left, 4096))):
                left -= len(chunk)
                sink.write(chunk)
                await sink.drain()


class HastyPlain(JobsClient):
    """A client for which time goes by fast."""

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds / SPEED)

    def _now(self) -> float:
        return time.monotonic() * SPEED


class HastyAsyncio(AsyncJobsClient):
    """Likewise."""

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)

    def _now(self) -> float:
        return time.monotonic() * SPEED


@pytest.mark.parametrize("flavour", Flavours)
async def test_a_live_stream_that_a_proxy_cuts_again_and_again_ends_in_the_same_state(
    flavour: str,
    address: Address,
    remote: httpx2.AsyncClient,
    worker: Worker,
    cue: Cue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("loresmith.client.follower.FIRST_SECONDS", 1000.0)
    go = cue("go")

    async def follow(job_id: str, cutter: Cutter) -> list[Update]:
        kind: Any = HastyPlain if flavour == "plain" else HastyAsyncio
        client = Either(kind(cutter.url, patience_seconds=1000.0))
        try:
            return await client.stream(job_id, timeout_seconds=60.0 * SPEED)
        finally:
            await client.aclose()

    cuts = [[at, at // 2, 700, at + 350] for at in range(300, 5000, 400)]
    ids = [await submitted(remote, *STEPS) for _ in cuts]
    for job_id in ids:
        await reached(remote, job_id, "running")
    async with AsyncExitStack() as stack:
        cutters = [await stack.enter_async_context(Cutter(address, one)) for one in cuts]
        following = [asyncio.create_task(follow(*one)) for one in zip(ids, cutters, strict=True)]
        first = cutters[: 4 if flavour == "plain" else None]  # there are not threads for all at once
        await asyncio.gather(*(cutter.used.wait() for cutter in first))
        go.set()
        for job_id, updates in zip(ids, await asyncio.gather(*following), strict=True):
            has_all(updates, await job_of(remote, job_id))


async def test_a_stream_is_left_without_an_end(address: Address, remote: httpx2.AsyncClient, cue: Cue) -> None:
    job_id = await submitted(remote, "wait:go")
    url = f"http://{address[0]}:{address[1]}"
    async with AsyncJobsClient(url) as client:
        async for update in client.stream(job_id):
            assert not update.job.done
            break
    with JobsClient(url) as plain:
        stream = plain.stream(job_id)
        assert not (await asyncio.to_thread(next, stream)).job.done
        await asyncio.to_thread(stream.close)
    assert not (await job_of(remote, job_id))["done"], "who goes away cancels nothing"
