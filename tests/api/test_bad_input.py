"""Bad input is refused with a problem that points at the field, and leaves nothing behind."""

from typing import Any

import httpx2
import orjson
import pytest

from tests.api.conftest import assert_problem

JSON = {"Content-Type": "application/json"}


def characters(**changes: Any) -> dict[str, Any]:
    return {"type": "generate_characters", "payload": {"theme": "fantasy", "count": 3, **changes}}


def relics(**selected: Any) -> dict[str, Any]:
    return {"type": "generate_relics", "payload": {"theme": "fantasy", **selected}}


MILL = {"name": "Old Mill", "description": "A mill."}
PIECE = ("name", "description")


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b"",
        b" ",
        b"{",
        b'{"type": "generate_characters", "payload": {"theme": NaN}}',
        b'{"type": "generate_characters", "payload": {"count": Infinity}}',
        b"[]",
        b'"text"',
        b"null",
        b"3",
        b"true",
        b"\xff\xfe{}",
        b'{"type": "\\ud800"}',
        b"[" * 3_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        orjson.dumps(characters(words=orjson.loads(b"[" * 70 + b"]" * 70))),
    ],
    ids=lambda body: body[:24].decode(errors="replace"),
)
async def test_what_is_no_json_object_is_refused(api: httpx2.AsyncClient, redis: Any, body: bytes) -> None:
    answer = await api.post("/jobs", content=body, headers=JSON)
    assert_problem(answer, 400, "invalid_json")
    assert await redis.dbsize() == 0


async def test_no_body_at_all_is_refused_as_bad_json(api: httpx2.AsyncClient, redis: Any) -> None:
    assert_problem(await api.post("/jobs"), 400, "invalid_json")
    assert await redis.dbsize() == 0


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"type": "generate_characters"}, ["/payload"]),
        ({"payload": {"theme": "fantasy"}}, ["/type"]),
        ({}, ["/type", "/payload"]),
        ({"type": 7, "payload": {}}, ["/type"]),
        ({"type": "generate_characters", "payload": None}, ["/payload"]),
        ({"type": "generate_characters", "payload": []}, ["/payload"]),
        ({"type": "generate_characters", "payload": {}}, ["/payload/theme"]),
        (characters(theme=7), ["/payload/theme"]),
        (characters(theme=None), ["/payload/theme"]),
        (characters(theme=""), ["/payload/theme"]),
        (characters(theme="x" * 10_000), ["/payload/theme"]),
        (characters(count=0), ["/payload/count"]),
        (characters(count=11), ["/payload/count"]),
        (characters(count=2.5), ["/payload/count"]),
        (characters(count="many"), ["/payload/count"]),
        (characters(count=10**30), ["/payload/count"]),
        (characters(colour="red"), ["/payload/colour"]),
        (characters(**{"a/b~c": 1}), ["/payload/a~1b~0c"]),
        (characters(count=0, theme="", colour="red"), ["/payload/theme", "/payload/count", "/payload/colour"]),
        (relics(selected_setting="Old Mill"), ["/payload/selected_setting"]),
        (relics(selectedSetting={"name": "", "description": 7}), [f"/payload/selectedSetting/{it}" for it in PIECE]),
        (relics(selected_event={"name": "Siege"}), ["/payload/selected_event/description"]),
        (relics(selected_event={**MILL, "type": "setting"}), ["/payload/selected_event/type"]),
        (relics(selected_setting={**MILL, "details": {"a": "x" * 33_000}}), ["/payload/selected_setting/details"]),
        (relics(selected_setting=MILL, selectedSetting=MILL), ["/payload/selectedSetting"]),
        ({**relics(selected_setting=MILL), "type": "generate_factions"}, ["/payload/selected_setting"]),
        ({**relics(selected_event=MILL), "type": "generate_events"}, ["/payload/selected_event"]),
        ({**characters(), "colour": "red"}, ["/colour"]),
        ({**characters(), "a/b": 1}, ["/a~1b"]),
    ],
    ids=str,
)
async def test_a_wrong_field_is_pointed_at(
    api: httpx2.AsyncClient, redis: Any, body: dict[str, Any], pointers: list[str]
) -> None:
    # The standard library's encoder: orjson's has no integers beyond 64 bits.
    problem = assert_problem(await api.post("/jobs", json=body), 400, "invalid_payload")
    assert [error["pointer"] for error in problem["errors"]] == pointers
    assert all(error["code"] and error["detail"] for error in problem["errors"])
    assert problem["retryable"] is False
    assert await redis.dbsize() == 0


async def test_an_unknown_type_is_named_with_the_nearest_known_one(api: httpx2.AsyncClient, redis: Any) -> None:
    answer = await api.post("/jobs", json={"type": "generate_charaters", "payload": {}})
    problem = assert_problem(answer, 400, "unknown_job_type")
    assert "did you mean 'generate_characters'?" in problem["detail"]
    assert "write_verses" in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/type"
    assert await redis.dbsize() == 0


async def test_a_huge_type_name_is_not_echoed(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/jobs", json={"type": "x" * 100_000, "payload": {}})
    assert_problem(answer, 400, "unknown_job_type")
    assert len(answer.content) < 2_000


async def test_thousands_of_wrong_fields_make_a_short_answer(api: httpx2.AsyncClient) -> None:
    answer = await api.post("/jobs", json=characters(**{f"x{i}": 1 for i in range(3_000)}))
    problem = assert_problem(answer, 400, "invalid_payload")
    assert len(problem["errors"]) == 20
    assert "more" in problem["detail"]
    assert len(answer.content) < 5_000


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""],
)
async def test_only_declared_json_is_taken(api: httpx2.AsyncClient, redis: Any, content_type: str) -> None:
    """A form of another site can send these types without asking; it cannot send application/json."""
    body = orjson.dumps(characters())
    answer = await api.post("/jobs", content=body, headers={"Content-Type": content_type})
    assert_problem(answer, 415, "unsupported_media_type")
    assert await redis.dbsize() == 0


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_is_taken_however_it_is_spelled(api: httpx2.AsyncClient, content_type: str) -> None:
    body = orjson.dumps(characters())
    answer = await api.post("/jobs", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 202
