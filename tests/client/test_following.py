"""Following a job over everything that goes wrong on the way: cuts, proxies, servers that are away or busy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest

from loresmith.client import (
    NotFoundError,
    ServerUnreachableError,
    TooManyRequestsError,
    UnauthenticatedError,
    Update,
    WaitTimeoutError,
)
from tests.client.conftest import Clock, Either
from tests.client.documents import ID, answer, change, event, job, problem, stream

Make = Callable[..., Either]
END = job(9, status="completed", result=["a", "b"])


class Server:
    """Answers with what is next for streams and for questions; the last of each again and again."""

    def __init__(self, clock: Clock, *, streams: list[Any], asked: list[Any]) -> None:
        self._clock = clock
        self._left = {True: streams, False: asked}
        self.requests: list[httpx2.Request] = []
        self.times: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.times.append(self._clock.now)
        left = self._left[self.is_stream(request)]
        return self._made(left.pop(0) if len(left) > 1 else left[0])

    def _made(self, found: Any) -> httpx2.Response:
        match found:
            case Exception():
                raise found
            case (float() as held_seconds, answered):
                self._clock.now += held_seconds
                return self._made(answered)
            case httpx2.Response():
                return found
            case _:
                return found()

    @staticmethod
    def is_stream(request: httpx2.Request) -> bool:
        return request.url.path.endswith("/events")

    @property
    def kinds(self) -> str:
        """What was requested: `s`treams and questions (`q`)."""
        return "".join("s" if self.is_stream(request) else "q" for request in self.requests)


class Torn(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        raise httpx2.RemoteProtocolError("peer closed connection")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        raise httpx2.RemoteProtocolError("peer closed connection")


def torn(*events: bytes) -> httpx2.Response:
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, stream=Torn(b"".join(events)))


def items_of(updates: list[Update]) -> list[Any]:
    return [item for update in updates for item in update.new_items]


FIRST = event("snapshot", job(1), 1)
DONE = event("done", END, 9)


async def test_a_stream_that_is_cut_is_resumed_from_the_last_id(scripted: Make, clock: Clock) -> None:
    parts = [
        torn(b"retry: 700\n", FIRST, event("item", {"index": 0, "value": "a"}), event("progress", change(2), 2)),
        stream(event("item", {"index": 1, "value": "b"})),
        stream(DONE),
    ]
    server = Server(clock, streams=parts, asked=[answer(job(1))])
    updates = await scripted(server).stream(ID)
    assert server.kinds == "sss"
    assert [request.headers.get("Last-Event-ID") for request in server.requests] == [None, "2", "2"]
    assert items_of(updates) == ["a", "b"]
    assert updates[-1].job.result == ["a", "b"]
    assert clock.slept[0] == pytest.approx(0.7), "the time that the server asked for"


async def test_half_an_event_does_not_count(scripted: Make, clock: Clock) -> None:
    half = event("item", {"index": 0, "value": "a"})[:-1]
    server = Server(clock, streams=[torn(FIRST, half), stream(DONE)], asked=[answer(job(1))])
    updates = await scripted(server).stream(ID)
    assert [update.job.seq for update in updates] == [1, 9]
    assert items_of(updates) == ["a", "b"]


async def test_events_that_come_twice_are_told_once(scripted: Make, clock: Clock) -> None:
    item, progress = event("item", {"index": 0, "value": "a"}), event("progress", change(2), 2)
    server = Server(
        clock, streams=[stream(FIRST, item, item, progress, progress, item, DONE, DONE)], asked=[answer({})]
    )
    updates = await scripted(server).stream(ID)
    assert items_of(updates) == ["a", "b"]
    assert [update.job.seq for update in updates] == [1, 1, 2, 9]


async def test_a_snapshot_after_a_gap_brings_what_was_missed(scripted: Make, clock: Clock) -> None:
    gap = event("snapshot", job(7, items=["a", "b"], progress=70), 7)
    server = Server(clock, streams=[stream(FIRST, gap, DONE)], asked=[answer({})])
    updates = await scripted(server).stream(ID)
    assert [update.new_items for update in updates] == [(), ("a", "b"), ()]


async def test_where_there_is_no_stream_the_server_is_asked(scripted: Make, clock: Clock) -> None:
    for refusal in (
        problem(404, "not_found"),
        httpx2.Response(405, text="no"),
        httpx2.Response(200, headers={"Content-Type": "text/html"}, text="<p>"),
    ):
        asked = [answer(job(1, items=["a"])), (5.0, answer(job(2, items=["a"]))), (5.0, answer(END))]
        server = Server(clock, streams=[refusal], asked=asked)
        updates = await scripted(server).stream(ID)
        assert server.kinds == "sqqq"
        assert items_of(updates) == ["a", "b"]


async def test_a_stream_of_which_nothing_arrives_is_left_for_questions_and_tried_again(
    scripted: Make, clock: Clock
) -> None:
    asked = [answer(job(1)), *((20.0, httpx2.Response(304)) for _ in range(2))]
    server = Server(clock, streams=[stream(), stream(DONE)], asked=asked)
    updates = await scripted(server).stream(ID)
    assert server.kinds == "sqqqs"
    assert server.requests[-1].headers["Last-Event-ID"] == "1"
    assert updates[-1].job.done


async def test_a_stream_of_something_else_is_left_for_questions(scripted: Make, clock: Clock) -> None:
    for nonsense in (b"event: snapshot\ndata: {\n\n", event("snapshot", {"id": 3}), event("item", [])):
        server = Server(clock, streams=[stream(nonsense)], asked=[answer(END)])
        assert (await scripted(server).stream(ID))[-1].job.done
        assert server.kinds == "sq"


async def test_events_of_later_versions_are_passed_over(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[stream(FIRST, event("mood", {"x": 1}), DONE)], asked=[answer({})])
    assert len(await scripted(server).stream(ID)) == 2


async def test_204_means_that_the_end_can_be_read(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[httpx2.Response(204)], asked=[answer(END)])
    assert [update.job.done for update in await scripted(server).stream(ID)] == [True]
    assert server.kinds == "sq"


async def test_a_server_that_is_gone_and_comes_back_is_sat_out(scripted: Make, clock: Clock) -> None:
    gone = httpx2.ConnectError("refused")
    streams = [torn(FIRST), *[gone] * 8, stream(DONE)]
    server = Server(clock, streams=streams, asked=[gone])
    updates = await scripted(server).stream(ID)
    assert [update.job.seq for update in updates] == [1, 9]
    assert len(clock.slept) >= 8
    assert max(clock.slept) <= 5.0


async def test_a_server_that_stays_away_is_given_up(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[torn(FIRST), httpx2.ConnectError("refused")], asked=[httpx2.ConnectError("no")])
    started = clock.now
    with pytest.raises(ServerUnreachableError, match="refused"):
        await scripted(server, patience_seconds=40.0).stream(ID)
    assert 40 <= clock.now - started <= 50


async def test_a_server_that_never_answered_is_given_up_soon(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[httpx2.ConnectError("refused")], asked=[httpx2.ConnectError("refused")])
    started = clock.now
    with pytest.raises(ServerUnreachableError):
        await scripted(server).stream(ID)
    assert clock.now - started <= 10


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "store_unavailable")])
async def test_retry_after_is_obeyed(scripted: Make, clock: Clock, status: int, code: str) -> None:
    busy = problem(status, code, retryable=True, Retry_After="17")
    server = Server(clock, streams=[torn(FIRST), busy, stream(DONE)], asked=[answer({})])
    await scripted(server).stream(ID)
    assert server.times[2] - server.times[1] >= 17


async def test_a_proxy_that_answers_for_a_server_that_is_away_is_sat_out(scripted: Make, clock: Clock) -> None:
    page = httpx2.Response(502, headers={"Content-Type": "text/html"}, text="<h1>Bad gateway</h1>")
    server = Server(clock, streams=[torn(FIRST), page, stream(DONE)], asked=[page])
    assert (await scripted(server).stream(ID))[-1].job.done


async def test_a_job_that_is_not_there_is_no_reason_to_ask_on(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[problem(404, "job_not_found")], asked=[problem(404, "job_not_found")])
    with pytest.raises(NotFoundError) as caught:
        await scripted(server).stream(ID)
    assert caught.value.code == "job_not_found"
    assert server.kinds == "s"


async def test_a_key_that_is_refused_is_no_reason_to_ask_on(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[problem(401, "unauthenticated")], asked=[answer({})])
    with pytest.raises(UnauthenticatedError):
        await scripted(server).stream(ID)


async def test_a_wait_is_held_back_by_the_server(scripted: Make, clock: Clock) -> None:
    asked = [answer(job(1)), (25.0, httpx2.Response(304)), (4.0, answer(job(2))), (2.0, answer(END))]
    server = Server(clock, streams=[answer({})], asked=asked)
    assert (await scripted(server).wait(ID)).result == ["a", "b"]
    assert server.kinds == "qqqq"
    first, second, *_, last = server.requests
    assert "Prefer" not in first.headers
    assert (second.headers["Prefer"], second.headers["If-None-Match"]) == ("wait=25", 'W/"1"')
    assert last.headers["If-None-Match"] == 'W/"2"'
    assert second.extensions["timeout"]["read"] > 25


async def test_a_server_that_holds_nothing_back_is_asked_as_seldom_as_it_wants(scripted: Make, clock: Clock) -> None:
    unchanged = httpx2.Response(304, headers={"Retry-After": "3"})
    server = Server(clock, streams=[answer({})], asked=[answer(job(1)), *[unchanged] * 5, answer(END)])
    await scripted(server).wait(ID)
    gaps = [after - before for before, after in zip(server.times[1:], server.times[2:], strict=False)]
    assert min(gaps) >= 3.0


async def test_a_job_that_changes_all_the_time_is_asked_for_once_a_second(scripted: Make, clock: Clock) -> None:
    changing = [(0.1, answer(job(seq))) for seq in range(1, 8)]
    server = Server(clock, streams=[answer({})], asked=[*changing, answer(END)])
    await scripted(server).wait(ID)
    gaps = [after - before for before, after in zip(server.times, server.times[1:], strict=False)]
    assert min(gaps) >= 0.99


async def test_a_wait_takes_no_late_answer_for_the_truth(scripted: Make, clock: Clock) -> None:
    asked = [answer(job(5, progress=60)), (3.0, answer(job(4, progress=40))), (3.0, answer(END))]
    server = Server(clock, streams=[problem(404, "not_found")], asked=asked)
    updates = await scripted(server).stream(ID)
    assert [update.job.seq for update in updates] == [5, 9]


async def test_waiting_ends_at_its_time_and_says_what_was_known(scripted: Make, clock: Clock) -> None:
    server = Server(clock, streams=[stream(FIRST)], asked=[answer(job(1)), (1.0, httpx2.Response(304))])
    for method in ("wait", "stream"):
        started = clock.now
        with pytest.raises(WaitTimeoutError, match="has not ended within 12 s; it goes on") as caught:
            await getattr(scripted(server), method)(ID, timeout_seconds=12)
        assert caught.value.job is not None
        assert caught.value.job.seq == 1
        assert clock.now - started == pytest.approx(12, abs=2)


async def test_the_time_is_over_even_if_only_heartbeats_come(scripted: Make, clock: Clock) -> None:
    class Heartbeats(httpx2.SyncByteStream, httpx2.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield FIRST
            while True:
                clock.now += 10
                yield b": still here\n\n"

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in self:
                yield chunk

    def endless() -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, stream=Heartbeats())

    server = Server(clock, streams=[endless], asked=[answer({})])
    with pytest.raises(WaitTimeoutError):
        await scripted(server).stream(ID, timeout_seconds=60)


async def test_too_many_requests_for_too_long_are_raised(scripted: Make, clock: Clock) -> None:
    busy = problem(429, "rate_limited", retryable=True, Retry_After="30")
    server = Server(clock, streams=[torn(FIRST), busy], asked=[busy])
    with pytest.raises(TooManyRequestsError) as caught:
        await scripted(server, patience_seconds=60.0).stream(ID)
    assert caught.value.retry_after_seconds == 30


@pytest.mark.parametrize("reason", ["expired", "revoked"])
async def test_a_stream_that_ends_with_the_key_is_an_error(scripted: Make, clock: Clock, reason: str) -> None:
    server = Server(clock, streams=[stream(event("closed", {"reason": reason}))], asked=[answer(END)])
    with pytest.raises(UnauthenticatedError, match=reason):
        await scripted(server).stream(ID)
    assert server.kinds == "s"


async def test_a_stream_closed_for_another_reason_is_opened_again(scripted: Make, clock: Clock) -> None:
    server = Server(
        clock,
        streams=[stream(event("closed", {"reason": "changed"})), stream(event("done", END, 9))],
        asked=[answer(END)],
    )
    await scripted(server).stream(ID)
    assert server.kinds == "ss"
