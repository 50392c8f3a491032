"""The fake provider."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, Partial, Usage
from loresmith.llm_service.fake_spec import FakeSpec
from loresmith.llm_service.fake_text import Writer
from loresmith.llm_service.hygiene import visible
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.schema import OutputSchema
from tests.llm_service.conftest import Serve
from tests.llm_service.orders import collect, final_of, order


def test_all_parameters_are_read() -> None:
    text = "fake?seconds=3&tokens=200&seed=1&error_rate=0.1&stall_rate=1&stream=false&slots=4"
    assert FakeSpec.parse(text) == FakeSpec(3.0, 200, 1, 0.1, 1.0, stream=False, slots=4)
    assert FakeSpec.parse("fake") == FakeSpec()


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("fake?speed=3", "unknown parameter 'speed'.*expected one of seconds"),
        ("fake?seconds=fast", "'seconds'.*a number of seconds, not 'fast'"),
        ("fake?seconds=-1", "'seconds'"),
        ("fake?seconds=nan", "'seconds'"),
        ("fake?tokens=0", "'tokens'.*a positive integer, not '0'"),
        ("fake?tokens=", "'tokens'"),
        ("fake?error_rate=2", "'error_rate'.*a share from 0 to 1"),
        ("fake?stream=maybe", "'stream'.*true or false"),
    ],
)
def test_a_wrong_parameter_is_named(spec: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        find_provider(spec)


async def test_the_same_seed_and_prompt_give_the_same_object(serve: Serve) -> None:
    one = await serve(find_provider("fake?seconds=0&seed=1"))
    two = await serve(find_provider("fake?seconds=0&seed=2"))
    first = final_of(await collect(one, order()))
    assert final_of(await collect(one, order())) == first
    others = [
        final_of(await collect(one, order("A knight, seen from behind."))),
        final_of(await collect(one, order(seed=9))),
        final_of(await collect(two, order())),
    ]
    names = {json.loads(text)["name"] for text in [first, *others]}
    assert len(names) == 4


async def test_a_call_takes_its_seconds_and_uses_its_tokens(serve: Serve) -> None:
    model = await serve(find_provider("fake?seconds=0.3&tokens=40"))
    clock = asyncio.get_running_loop().time
    start = clock()
    events = await collect(model, order())
    assert clock() - start >= 0.3
    assert isinstance(usage := events[-1], Usage)
    assert (usage.model, usage.output_tokens) == ("fake", 40)


async def test_without_streaming_nothing_comes_before_the_end(serve: Serve) -> None:
    model = await serve(find_provider("fake?seconds=0&stream=false"))
    assert not (await model.capabilities()).streams
    events = await collect(model, order())
    assert not [event for event in events if isinstance(event, FieldsDone | Partial)]
    assert final_of(events)


async def test_errors_come_at_their_rate(serve: Serve) -> None:
    model = await serve(find_provider("fake?seconds=0&error_rate=0.5&seed=3"))
    failed: list[tuple[str, bool]] = []
    for _ in range(40):
        try:
            await collect(model, order())
        except GenerationError as error:
            failed.append((error.code, error.retryable))
    assert 10 <= len(failed) <= 30
    assert set(failed) == {("provider_unavailable", True)}


bounds = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: tuple(sorted(pair)))
strings: st.SearchStrategy[dict[str, Any]] = bounds.map(
    lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[1]}
)
patterns: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "string", "pattern": "^[A-Z]", "maxLength": 40},
        {"type": "string", "pattern": r"[.!?]$", "maxLength": 120},
        {"type": "string", "pattern": r"^\d+$", "maxLength": 6},
        {"type": "string", "pattern": "^[a-z]+$", "maxLength": 10},
        {"type": "string", "pattern": r"^[A-Z][a-z]+( [A-Z][a-z]+)*$"},
    ]
)
numbers: st.SearchStrategy[dict[str, Any]] = bounds.map(
    lambda pair: {"type": "integer", "minimum": pair[0], "maximum": pair[1]}
)
choices: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"enum": ["a", 2, None]},
        {"const": "x"},
        {"type": "boolean"},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 5},
        {"type": "integer", "multipleOf": 5, "minimum": 8, "maximum": 18},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        {"$ref": "#/$defs/mood"},
        {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3, "maxItems": 3},
    ]
)
leaf_schemas = strings | patterns | numbers | choices
names = st.text(min_size=1, max_size=6).map(visible).filter(bool)
"""The service removes invisible characters from the names of a schema before a model sees them."""
schemas = st.dictionaries(names, leaf_schemas, max_size=6).map(
    lambda properties: {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        "$defs": {"mood": {"enum": ["calm", "wild"]}},
    }
)


@given(schemas, st.integers())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_it_writes_satisfies_the_schema(schema: dict[str, Any], seed: int) -> None:
    written = Writer(schema, Random(seed)).value(schema)
    assert OutputSchema(schema).judge(json.dumps(written)).problems == ()


def test_a_pattern_that_it_cannot_write_is_named() -> None:
    schema = {"type": "object", "properties": {"code": {"type": "string", "pattern": "^#[0-9]$"}}}
    with pytest.raises(ValueError, match=r"pattern '\^#\[0-9\]\$'.*property 'code'"):
        Writer(schema, Random(1)).value(schema)
