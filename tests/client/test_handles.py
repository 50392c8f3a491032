"""Jobs as objects: handles of both clients, typed results, owners on one pool of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

import httpx2
import msgspec
import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from loresmith.client import JobFailedError, JobsClient, ResultTypeError, WaitTimeoutError
from loresmith.client.result_types import reader_of
from loresmith.jobs import Worker
from tests.api.conftest import Play, Verse, VersePayload, play, reached, write_verses
from tests.client.conftest import Either
from tests.client.documents import job

Cue = Callable[[str], asyncio.Event]
Make = Callable[..., Either]


async def test_handle_follows_its_job(client: Either, worker: Worker, cue: Cue, remote: httpx2.AsyncClient) -> None:
    go = cue("go")
    handle = Either(await client.submit("play", steps=["item:0", "wait:go", "item:1"], result_type=list[Verse]))
    job_id: str = handle.client.id
    await reached(remote, job_id, "running")
    with pytest.raises(WaitTimeoutError):
        await handle.result(timeout=0.05)
    go.set()
    updates = await handle.stream(timeout=20)
    assert updates[-1].job.done
    told = [item for update in updates for item in update.new_items]
    assert all(isinstance(item, Verse) for item in told)
    assert handle.client.done
    assert handle.client.progress == 100
    assert handle.client.items == told == await handle.result()


async def test_handle_cancels_and_retries_its_job(client: Either, worker: Worker, cue: Cue) -> None:
    cue("go")
    handle = Either(await client.submit(play, Play(steps=["wait:go"])))
    ended = await handle.cancel()
    assert handle.client.snapshot is ended
    with pytest.raises(JobFailedError, match="cancelled"):
        await handle.result(timeout=20)
    again = Either(await handle.retry())
    assert again.client.id != handle.client.id
    assert again.client.snapshot.retry_of == handle.client.id
    await again.cancel()
    await handle.delete()


async def test_handle_of_an_earlier_job(client: Either, worker: Worker) -> None:
    made = await client.submit("write_verses", about="rain", count=1)
    handle = Either(await client.job(made.id, job_type=write_verses))
    assert await handle.result(timeout=20) == [Verse(text="rain 0")]
    assert (await handle.refresh()).status == "completed"


async def test_imported_job_type_makes_the_result_typed(client: Either, worker: Worker) -> None:
    handle = Either(await client.submit(write_verses, VersePayload(about="rain")))
    assert await handle.result(timeout=20) == [Verse(text="rain 0"), Verse(text="rain 1")]


async def test_payload_is_a_mapping_or_fields_or_an_object(scripted: Make) -> None:
    sent: list[Any] = []

    def answering(request: httpx2.Request) -> httpx2.Response:
        sent.append(msgspec.json.decode(request.content)["payload"])
        return httpx2.Response(202, json=job())

    client = scripted(answering)
    await client.submit("play", {"a": 1}, type="b", payload="c")
    await client.submit("play", Play(steps=["x"]))
    await client.submit("play")
    assert sent == [{"a": 1, "type": "b", "payload": "c"}, {"steps": ["x"]}, {}]
    with pytest.raises(TypeError, match="'a' is given twice"):
        await client.submit("play", {"a": 1}, a=2)
    with pytest.raises(TypeError, match="a Play takes no further fields: got a"):
        await client.submit("play", Play(), a=2)
    with pytest.raises(TypeError, match="a payload cannot have a object"):
        await client.submit("play", a=object())
    assert len(sent) == 3


class Stats(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    health: int = Field(ge=0)
    born: date


class Character(BaseModel):
    name: str
    stats: Stats


@dataclass
class Plain:
    name: str
    born: datetime


class Group(TypedDict):
    members: list[Character]


CORE = ("id", "type", "status", "done", "seq", "progress", "message", "created_at", "result")
SEEN = {"name": "Björn", "stats": {"health": 9, "born": "1999-01-02", "newer": True}, "newer": 1}
BJORN = Character(name="Björn", stats=Stats(health=9, born=date(1999, 1, 2)))


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (list[Character], [SEEN], [BJORN]),
        (dict[str, Character], {"a": SEEN}, {"a": BJORN}),
        (TypeAdapter(Character | int), SEEN, BJORN),
        (Character, SEEN, BJORN),
        (Group, {"members": [SEEN], "newer": 1}, {"members": [BJORN]}),
        (Plain, {"name": "a", "born": "1999-01-02T00:00:00", "newer": 1}, Plain("a", datetime(1999, 1, 2))),  # noqa: DTZ001 - as it came
        (int, 3, 3),
    ],
)
def test_result_is_read_as_its_type_and_newer_fields_are_passed_over(kind: Any, raw: Any, expected: Any) -> None:
    assert reader_of(None, kind).read_result("x", raw) == expected


@pytest.mark.parametrize(
    ("kind", "raw", "pointer", "detail"),
    [
        (list[Character], [SEEN, {"name": "a", "stats": {"health": -1}}], "/1/stats/health", "greater than"),
        (list[Character], [{"stats": SEEN["stats"]}], "/0/name", "Field required"),
        (Group, {"members": [{**SEEN, "name": 5}]}, "/members/0/name", "valid string"),
        (TypeAdapter(list[int]), [1, "a"], "/1", "valid integer"),
        (Plain, {"name": 5, "born": "1999-01-02T00:00:00"}, "/name", "Expected str, got int"),
        (list[Plain], {"a": 1}, "", "Expected array, got object"),
        (dict[str, Plain], {"a": {"name": "a"}}, "/...", "missing required field born"),
    ],
)
def test_result_that_does_not_fit_names_the_field(kind: Any, raw: Any, pointer: str, detail: str) -> None:
    with pytest.raises(ResultTypeError) as caught:
        reader_of(None, kind).read_result("x", raw)
    assert caught.value.raw is raw
    assert caught.value.problems[0].pointer == pointer
    assert detail in caught.value.problems[0].detail
    assert "does not fit" in str(caught.value)
    assert (pointer or "/") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_type_that_no_json_has_is_refused_before_the_submit() -> None:
    with JobsClient("http://localhost") as client, pytest.raises(TypeError, match=r"result_type .* cannot be read"):
        client.submit("play", result_type=Character | Stats)  # pyright: ignore[reportArgumentType] - that is tested


async def test_result_that_does_not_fit_is_kept(client: Either, worker: Worker) -> None:
    handle = Either(await client.submit("write_verses", about="rain", count=1, result_type=list[int]))
    with pytest.raises(
        ResultTypeError, match=r"the result of job .* does not fit list\[int\]: /0: Expected int"
    ) as caught:
        await handle.result(timeout=20)
    assert caught.value.raw == handle.client.snapshot.result == [{"text": "rain 0"}]


async def test_one_pool_of_connections_serves_many_owners(scripted: Make) -> None:
    shown: list[str | None] = []

    def answering(request: httpx2.Request) -> httpx2.Response:
        shown.append(request.headers.get("Authorization"))
        limits.append(request.extensions["timeout"]["read"])
        return httpx2.Response(200, json=job())

    limits: list[float | None] = []
    client = scripted(answering, api_key="first", timeout=7)
    await client.get("a")
    second = Either(client.client.as_owner("second"))
    await second.get("a")
    await second.aclose()
    await Either(client.client.with_options(api_key=None, timeout=None)).get("a")
    await client.get("a")
    assert shown == ["Bearer first", "Bearer second", None, "Bearer first"]
    assert limits == [7, 7, None, 7]
    with pytest.raises(ValueError, match="LORESMITH_API_KEY"):
        client.client.as_owner("no\nkey")


async def test_token_opens_one_job(client: Either) -> None:
    handle = Either(await client.submit("play", steps=[]))
    token = await handle.create_token(scope="cancel")
    assert token.token.startswith("lsj_")
    assert token.scope == "cancel"
    assert token.token not in repr(token)


@pytest.mark.parametrize(
    "document",
    [
        {**job(status="completed", result=[1]), "newer": {"a": 1}, "eta": None},
        {name: value for name, value in job(status="completed", result=[1]).items() if name in CORE},
    ],
    ids=["newer server", "older server"],
)
async def test_server_of_another_version_works(scripted: Make, document: dict[str, Any]) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(202, json=document)

    client = scripted(answer)
    handle = Either(await client.submit("play", result_type=list[int]))
    assert await handle.result() == [1]
    assert handle.client.snapshot.document == document
