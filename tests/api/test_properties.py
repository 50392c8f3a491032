"""Whatever a stranger sends, the answer is a job or a problem, and never an error of ours."""

import json
import math
from typing import Any, cast

import httpx2
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import assert_problem

ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NEARLY_RIGHT: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["write_verses", "generate_characters", "Write_Verses"]) | st.text(),
        "payload": st.fixed_dictionaries(
            {},
            optional={
                "about": st.text(max_size=70) | ANY_JSON,
                "theme": st.text(max_size=70) | ANY_JSON,
                "count": st.integers(-1, 12) | ANY_JSON,
                "words": st.dictionaries(st.text(), ANY_JSON, max_size=4),
            },
        )
        | ANY_JSON,
    },
    optional={"metadata": ANY_JSON},
)


def sendable(value: Any) -> bool:
    """Whether JSON can carry the value without loss: no NaN, no integer beyond 64 bits, no lone surrogate."""
    match value:
        case float():
            return math.isfinite(value)
        case bool() | None:
            return True
        case int():
            return -(2**63) <= value < 2**64
        case str():
            return _is_unicode(value)
        case list():
            return all(sendable(inner) for inner in cast("list[Any]", value))
        case _:
            return all(_is_unicode(key) and sendable(inner) for key, inner in cast("dict[str, Any]", value).items())


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


quietly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quietly
@given(body=NEARLY_RIGHT | ANY_JSON)
async def test_any_json_is_a_job_or_a_problem(api: httpx2.AsyncClient, body: Any) -> None:
    answer = await api.post("/jobs", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    if answer.status_code == 202:
        assert (await api.get(answer.headers["location"])).json() == answer.json()
    else:
        problem = assert_problem(answer, 400, answer.json()["code"])
        assert problem["code"] in {"invalid_json", "invalid_payload", "unknown_job_type"}


@quietly
@given(body=st.binary(max_size=200))
async def test_any_bytes_are_refused(api: httpx2.AsyncClient, body: bytes) -> None:
    answer = await api.post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@quietly
@given(words=st.dictionaries(st.text(), ANY_JSON.filter(sendable), max_size=5))
async def test_what_is_sent_is_what_is_stored(api: httpx2.AsyncClient, redis: Any, words: dict[str, Any]) -> None:
    body = {"type": "write_verses", "payload": {"about": "rain", "words": words}}
    job = (await api.post("/jobs", json=body)).json()
    stored = orjson.loads(await redis.get(f"{{job:{job['id']}}}:input"))
    assert stored["payload"]["words"] == words
