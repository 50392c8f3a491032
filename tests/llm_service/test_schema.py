"""How an output is judged."""

from __future__ import annotations

import json

import pytest

from loresmith.llm_service.schema import OutputSchema
from tests.llm_service.orders import KNIGHT, VALID

ANYTHING = OutputSchema({"type": "object"})


def test_a_valid_output_is_made_compact() -> None:
    spaced = json.dumps(json.loads(VALID), indent=2)
    assert OutputSchema(KNIGHT).judge(spaced).json == VALID


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', '{"a": 1} x', '{"a":' * 5000, '{"a":foo}'])
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    (problem,) = ANYTHING.judge(text).problems
    assert problem.startswith("not valid JSON")


def test_a_character_that_came_in_two_halves_is_put_together() -> None:
    assert ANYTHING.judge('{"a":"\ud83d\ude00"}').json == '{"a":"\U0001f600"}'


@pytest.mark.parametrize("half", ["\\ud83d", "\\udc00", "\ud83d"])
def test_half_a_character_goes_no_further(half: str) -> None:
    answer = ANYTHING.judge(f'{{"a":"x{half}y"}}').json
    assert answer.encode() in (b'{"a":"xy"}', '{"a":"x\ufffdy"}'.encode())


def test_problems_name_their_place() -> None:
    problems = OutputSchema(KNIGHT).judge('{"name":"K","traits":["a",1],"health":1}').problems
    assert len(problems) == 3
    assert problems[1] == "at /traits/1: 1 is not of type 'string'"


def test_no_schema_is_fetched_from_elsewhere() -> None:
    schema = {"type": "object", "properties": {"a": {"not": {"$ref": "http://127.0.0.1:9/s"}}}}
    with pytest.raises(ValueError, match="leads elsewhere"):
        OutputSchema(schema)
