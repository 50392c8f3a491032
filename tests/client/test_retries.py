"""What is made again, what is not, and that a submit that is repeated makes one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from loresmith.client import (
    AsyncJobsClient,
    ClientError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    ServerFaultError,
    ServerUnreachableError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tests.client.conftest import Clock, Either
from tests.client.documents import ID, answer, job, problem

Make = Callable[..., Either]


class Script:
    """Answers in turn, the last again and again."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(found, Exception):
            raise found
        return httpx2.Response(found.status_code, headers=found.headers, content=found.content)


class Lossy(httpx2.AsyncBaseTransport):
    """Passes requests on, and loses the first answers."""

    def __init__(self, app: FastAPI, losses: int) -> None:
        self._inner = httpx2.ASGITransport(app)
        self._losses = losses

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if self._losses:
            self._losses -= 1
            raise httpx2.ReadError("connection reset by peer")
        return response


async def test_a_submit_whose_answer_is_lost_makes_one_job(app: FastAPI) -> None:
    async with AsyncJobsClient("http://localhost", transport=Lossy(app, 2)) as client:
        made = await client.submit("write_verses", {"about": "rain"})
        assert [one.id async for one in client.list()] == [made.id]


async def test_a_batch_whose_answer_is_lost_makes_its_jobs_once(app: FastAPI) -> None:
    from loresmith.client import Submission

    wanted = [Submission(type="write_verses", payload={"about": about}) for about in ("rain", "snow")]
    async with AsyncJobsClient("http://localhost", transport=Lossy(app, 1)) as client:
        made = await client.submit_batch(wanted)
        assert {one.id async for one in client.list()} == {one.id for one in made}


async def test_each_submit_has_a_key_of_its_own_that_its_repetitions_share(scripted: Make) -> None:
    server = Script(httpx2.ReadTimeout("slow"), answer(job(), 202))
    client = scripted(server)
    await client.submit("play", {})
    await client.submit("play", {})
    await client.submit("play", {}, idempotency_key="mine")
    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    assert keys[0] == keys[1]
    assert keys[1] != keys[2]
    assert keys[3] == "mine"


@pytest.mark.parametrize(
    ("method", "arguments", "good"),
    [
        ("get", (ID,), answer(job())),
        ("cancel", (ID,), answer(job())),
        ("delete", (ID,), httpx2.Response(204)),
        ("stats", (), answer({})),
        ("pause", (), httpx2.Response(204)),
    ],
)
async def test_what_is_idempotent_is_made_again_when_its_answer_is_lost(
    scripted: Make, clock: Clock, method: str, arguments: Any, good: httpx2.Response
) -> None:
    server = Script(httpx2.ReadError("reset"), httpx2.ConnectError("refused"), good)
    await getattr(scripted(server), method)(*arguments)
    assert len(server.requests) == 3
    assert len(clock.slept) == 2


async def test_a_retry_whose_answer_is_lost_is_not_made_again_as_it_might_be_paid_twice(scripted: Make) -> None:
    server = Script(httpx2.ReadError("reset"), answer(job(), 202))
    with pytest.raises(ServerUnreachableError):
        await scripted(server).retry(ID)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "refused", [httpx2.ConnectError("refused"), problem(503, "queue_full", retryable=True, Retry_After="1")]
)
async def test_a_retry_that_did_not_reach_the_server_is_made_again(scripted: Make, refused: Any) -> None:
    server = Script(refused, answer(job(), 202))
    await scripted(server).retry(ID)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limited"), (429, "too_many_active_jobs"), (503, "store_unavailable")]
)
async def test_retry_after_is_waited_for(scripted: Make, clock: Clock, status: int, code: str) -> None:
    server = Script(problem(status, code, retryable=True, Retry_After="7"), answer(job(), 202))
    await scripted(server).submit("play", {})
    assert clock.slept == [7.0]


async def test_a_server_that_wants_too_much_patience_is_not_waited_for(scripted: Make, clock: Clock) -> None:
    server = Script(problem(429, "rate_limited", retryable=True, Retry_After="3600"))
    with pytest.raises(TooManyRequestsError) as caught:
        await scripted(server).submit("play", {})
    assert caught.value.retry_after_seconds == 3600
    assert clock.slept == []


async def test_a_date_is_a_retry_after_too(scripted: Make) -> None:
    server = Script(problem(503, "not_ready", retryable=True, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"))
    with pytest.raises(UnavailableError) as caught:
        await scripted(server, retries=0).stats()
    assert caught.value.retry_after_seconds == 0.0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, UnauthenticatedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, InvalidRequestError),
        (422, InvalidRequestError),
        (500, ServerFaultError),
    ],
)
async def test_what_will_not_pass_is_raised_at_once_with_its_problem(
    scripted: Make, status: int, kind: type[ProblemError]
) -> None:
    server = Script(problem(status, "a_code"))
    with pytest.raises(kind, match="not now") as caught:
        await scripted(server).submit("play", {})
    assert len(server.requests) == 1
    told = caught.value.problem
    assert (told.status, told.code, told.request_id, told.title) == (status, "a_code", "r1", "No")
    assert told.errors[0].pointer == "/payload/count"


@pytest.mark.parametrize(
    "page",
    [
        httpx2.Response(200, text="<h1>Welcome</h1>"),
        httpx2.Response(404, text="not here"),
        httpx2.Response(200, json=[1]),
        httpx2.Response(200, json={"id": 3}),
        httpx2.Response(302, headers={"Location": "http://elsewhere/"}),
        httpx2.Response(404, json={"detail": "Not Found"}),
    ],
)
async def test_an_answer_of_something_else_is_named_as_such(scripted: Make, page: httpx2.Response) -> None:
    with pytest.raises(UnexpectedAnswerError):
        await scripted(Script(page)).get(ID)


async def test_a_key_is_sent_and_shown_nowhere(scripted: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Script(problem(401, "unauthenticated"))
    for options in ({"api_key": "top-secret"}, {}):
        monkeypatch.setenv("LORESMITH_API_KEY", "" if options else "top-secret")
        client = scripted(server, **options)
        with pytest.raises(UnauthenticatedError) as caught:
            await client.stats()
        assert server.requests[-1].headers["Authorization"] == "Bearer top-secret"
        assert "top-secret" not in repr(caught.value) + repr(client.client) + repr(client.client.__dict__)


async def test_a_path_trick_leads_nowhere_else(scripted: Make) -> None:
    server = Script(answer(job()))
    for name in ("..", "../stats", "a/b", "a?b", "%2e%2e"):
        await scripted(server).get(name)
        path = server.requests[-1].url.raw_path
        assert path.startswith(b"/jobs/")
        assert path.count(b"/") == 2
        assert b"?" not in path
        assert b".." not in path


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x", "http://", "http://x:99999"])
def test_an_address_that_is_none_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_URL", url or "nonsense")
    with pytest.raises(ValueError, match="is no address of a server"):
        AsyncJobsClient(url or None)


async def test_every_request_has_a_limit_of_time(scripted: Make) -> None:
    server = Script(answer(job(), 202))
    client = scripted(server, timeout_seconds=7.0)
    await client.submit("play", {}, wait_seconds=30)
    await client.get(ID)
    limits: list[dict[str, float]] = [request.extensions["timeout"] for request in server.requests]
    assert [limit["read"] for limit in limits] == [37.0, 7.0]
    assert all(None not in limit.values() for limit in limits)
    assert server.requests[0].headers["Prefer"] == "wait=30"


def test_every_error_is_one_of_the_clients() -> None:
    from loresmith.client import errors

    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert all(issubclass(kind, ClientError) for kind in kinds)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)
