"""Attacks on the lore service by who has its token: schemas that are wrong, huge, endless, or slow to match."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm_service.fields import expected_fields
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.schema import OutputSchema
from loresmith.llm_service.server import LoreServer

BOUND_SECONDS = 10.0
"""Of a call, on a machine that has much else to do; what was slow before took minutes, or never ended."""


def nested(depth: int, inner: Any, *, key: str = "not") -> Any:
    for _ in range(depth):
        inner = {key: inner}
    return inner


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


DOUBLING = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
ABSURD: dict[str, Any] = {
    "no JSON": "{",
    "not a number": '{"type":"object","minProperties":NaN}',
    "a list": "[]",
    "deep text": "[" * 100_000,
    "deep object": json.dumps({"type": "object", "properties": {"a": nested(300, {})}}),
    "many names": an_object(**{f"p{n}": {"type": "string"} for n in range(20_000)}),
    "a huge enum": an_object(a={"enum": list(range(100_000))}),
    "a type that is a number": {"type": 7},
    "a reference that is a number": {"$ref": 7},
    "a reference to nothing": an_object(a={"$ref": "#/nowhere"}),
    "a reference to a text": an_object(a={"$ref": "#/type"}),
    "a reference to elsewhere": an_object(a={"$ref": "http://127.0.0.1:9/s"}),
    "a reference to itself": {"$ref": "#"},
    "two references to each other": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#"}}},
    "an object that requires itself": an_object(a={"$ref": "#"}),
    "an array that requires itself": an_object(a={"type": "array", "minItems": 1, "items": {"$ref": "#"}}),
    "a base elsewhere": an_object(a={"$id": "http://127.0.0.1:9/", "$ref": "#/x"}),
    "a dynamic reference": an_object(a={"$dynamicRef": "#x"}),
    "an array of a billion": an_object(a={"type": "array", "minItems": 10**9}),
    "arrays of arrays": an_object(
        a={"type": "array", "minItems": 1_000, "items": {"type": "array", "minItems": 1_000, "items": {}}}
    ),
    "a text of a billion": an_object(a={"type": "string", "minLength": 10**9}),
    "a pattern that is none": an_object(a={"type": "string", "pattern": "("}),
    "a pattern that looks back": an_object(a={"type": "string", "pattern": r"(a+)\1+$"}),
    "a long pattern": an_object(a={"type": "string", "pattern": "a" * 200_000}),
    "a pattern that grows": an_object(a={"type": "string", "pattern": "((((a{99}){99}){99}){99}){99}"}),
    "a repeat that overflows": an_object(a={"type": "string", "pattern": "a{99999999999999}"}),
    "a temperature that is none": float("nan"),
}


@pytest.fixture
async def stub() -> AsyncIterator[Any]:
    server = LoreServer(find_provider("fake?seconds=0"))
    port = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        service: Any = lore_pb2_grpc.LoreServiceStub
        yield service(channel)
    await server.stop()


async def status_of(stub: Any, request: lore_pb2.GenerateRequest) -> grpc.StatusCode:
    call = stub.Generate(request, timeout=BOUND_SECONDS)
    with_events = [event async for event in _quietly(call)]
    del with_events
    return await call.code()


async def _quietly(call: Any) -> AsyncIterator[Any]:
    try:
        async for event in call:
            yield event
    except grpc.aio.AioRpcError:
        return


@pytest.mark.parametrize("name", ABSURD)
async def test_an_absurd_request_is_an_invalid_argument(stub: Any, name: str) -> None:
    schema: Any = ABSURD[name]
    request = lore_pb2.GenerateRequest(prompt="p", json_schema=json.dumps({"type": "object"}))
    if isinstance(schema, float):
        request.temperature = schema
    else:
        request.json_schema = schema if isinstance(schema, str) else json.dumps(schema)
    assert await status_of(stub, request) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": True, "b": {"anyOf": [True, {"type": "null"}]}}},
        {"type": "object", "properties": {str(n): {"$ref": "#"} for n in range(20)}},
        {**an_object(a={"$ref": "#/$defs/d0"}), "$defs": {**DOUBLING, "d30": {"type": "string"}}},
        an_object(a={"type": "string", "pattern": "^([a-z]+)+!?$", "maxLength": 60}),
    ],
    ids=["true", "wide and endless", "doubling", "slow pattern"],
)
async def test_an_odd_schema_that_can_be_met_is_met_in_time(stub: Any, schema: dict[str, Any]) -> None:
    request = lore_pb2.GenerateRequest(prompt="p", json_schema=json.dumps(schema))
    code = await status_of(stub, request)
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)
    assert code is not grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("schema", "output"),
    [
        (an_object(a={"type": "string", "pattern": "^(a+)+$"}), {"a": "a" * 50_000 + "!"}),
        ({"type": "object", "patternProperties": {"^(a+)+$": {}}}, {"a" * 50_000 + "!": 1}),
        (an_object(a={"type": "array", "uniqueItems": True}), {"a": [{"n": n} for n in range(20_000)]}),
        (an_object(a={"type": "array", "items": {"enum": list(range(4_000))}}), {"a": [-1] * 50_000}),
    ],
    ids=["pattern", "names by pattern", "unique", "enum"],
)
def test_an_output_is_judged_in_bounded_time(schema: dict[str, Any], output: dict[str, Any]) -> None:
    began = time.thread_time()
    OutputSchema(schema).judge(json.dumps(output))
    assert time.thread_time() - began < 5


def test_fields_of_a_schema_that_refers_to_itself_are_counted_at_once() -> None:
    schema = {"type": "object", "properties": {str(n): {"$ref": "#"} for n in range(50)}}
    began = time.thread_time()
    assert expected_fields(schema) == 10_000
    assert time.thread_time() - began < 1


_WORDS = """type properties required items anyOf allOf oneOf not $ref $defs enum const pattern minItems maxItems
minLength additionalProperties patternProperties uniqueItems prefixItems if then format minimum $id"""
KEYWORDS = st.sampled_from(_WORDS.split())
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["object", "string", "#", "#/$defs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.just("a"), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(schema=st.dictionaries(KEYWORDS, VALUES, max_size=5))
def test_any_document_is_a_schema_or_a_value_error(schema: dict[str, Any]) -> None:
    try:
        taken = OutputSchema({**schema, "type": "object"})
    except ValueError:
        return
    assert expected_fields(taken.document) >= 1
    assert asyncio.run(asyncio.to_thread(taken.judge, "{}")).problems is not None
