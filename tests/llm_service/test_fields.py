"""The fields of an object that is being written."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loresmith.llm_service.fields import Field, FieldReader, expected_fields

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=4), values, max_size=5)
layouts = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def read(chunks: list[str]) -> list[Field]:
    reader = FieldReader()
    return [field for chunk in chunks for field in reader.feed(chunk)]


def leaves(value: Any) -> int:
    """How many scalars a JSON value holds."""
    if isinstance(value, dict | list):
        inner: list[Any] = list(value.values() if isinstance(value, dict) else value)  # pyright: ignore[reportUnknownArgumentType]
        return sum(leaves(each) for each in inner)
    return 1


@given(objects, layouts, st.lists(st.integers(0, 400)))
def test_where_the_text_is_cut_makes_no_difference(
    value: dict[str, Any], layout: dict[str, Any], cuts: list[int]
) -> None:
    text = json.dumps(value, **layout)
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    chunks = [text[start:end] for start, end in pairwise(places)]
    assert read(chunks) == read([text]) == read(list(text))


@given(objects, layouts)
def test_each_leaf_is_one_field_and_each_partial_is_json(value: dict[str, Any], layout: dict[str, Any]) -> None:
    fields = read([json.dumps(value, **layout)])
    assert [field.number for field in fields] == list(range(1, leaves(value) + 1))
    partials = [json.loads(field.partial) for field in fields]
    assert [leaves(partial) for partial in partials] == list(range(1, leaves(value) + 1))


@given(objects, *[st.text(st.characters(exclude_characters="{"))] * 2)
def test_text_around_the_object_is_dropped(value: dict[str, Any], before: str, after: str) -> None:
    reader = FieldReader()
    text = json.dumps(value)
    assert list(reader.feed(before + text + after)) == read([text])
    assert reader.complete
    assert reader.object_text == text


@given(st.text(alphabet='{}[]",:\\ a1\n', max_size=60))
def test_nonsense_is_read_without_an_error(text: str) -> None:
    read([text])


SCHEMAS: list[tuple[dict[str, Any], int]] = [
    ({"type": "object"}, 1),
    ({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "null"}}}, 2),
    ({"properties": {"a": {"type": "array", "minItems": 3, "maxItems": 5, "items": {}}}}, 4),
    ({"properties": {"a": {"type": "array", "items": {"properties": {"x": {}, "y": {}}}}}}, 4),
    ({"$defs": {"s": {"properties": {"x": {}, "y": {}}}}, "$ref": "#/$defs/s"}, 2),
    ({"properties": {"a": {"anyOf": [{"type": "null"}, {"properties": {"x": {}}}]}}}, 1),
]


@pytest.mark.parametrize(("schema", "count"), SCHEMAS)
def test_fields_are_expected_from_the_schema(schema: dict[str, Any], count: int) -> None:
    assert expected_fields(schema) == count


def test_a_schema_that_contains_itself_has_an_end() -> None:
    node: dict[str, Any] = {"properties": {"name": {}, "child": {"$ref": "#"}}}
    assert expected_fields(node) < 20
