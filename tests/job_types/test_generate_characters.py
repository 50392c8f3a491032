"""The job type generate_characters: its payload and its item."""

from typing import Any

import pytest
from pydantic import ValidationError

from loresmith.job_types.generate_characters import GenerateCharacters, generate_characters


@pytest.mark.parametrize("payload", [{"theme": "fantasy"}, {"theme": " pirates ", "count": 10}])
def test_a_theme_is_enough(payload: dict[str, Any]) -> None:
    assert GenerateCharacters.model_validate(payload).count in (3, 10)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"theme": ""},
        {"theme": "x" * 61},
        {"theme": "a\tb"},
        {"theme": "fantasy", "count": 0},
        {"theme": "fantasy", "count": 11},
        {"theme": "fantasy", "color": "red"},
    ],
)
def test_anything_else_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GenerateCharacters.model_validate(payload)


def test_it_is_a_job_type() -> None:
    assert generate_characters.name == "generate_characters"
    assert generate_characters.item is not None
    assert generate_characters.item.json_schema()["title"] == "Character"
