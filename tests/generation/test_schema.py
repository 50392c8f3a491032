"""The schema that a model is asked with says what to write and nothing else."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from loresmith.generation.schema import merge_fixed, output_schema
from loresmith.lore import Character, Event, Faction, Relic, Setting, Story


class Inner(BaseModel):
    """An inner docstring."""

    size: int = Field(ge=1, description="How large")


class Outer(BaseModel):
    """An outer docstring."""

    title: str = Field(max_length=40, description="A title")
    long: str = Field(min_length=10, max_length=2000)
    inner: Inner = Field(description="The inner one")
    more: list[Inner] = Field(min_length=1)
    note: str | None = None
    kind: Literal["outer"] = "outer"


class Mood(StrEnum):
    """A docstring of an enum."""

    CALM = "calm"
    GRIM = "grim"


class Place(TypedDict):
    """A docstring of a dict."""

    name: str


@dataclass
class Weight:
    """A docstring of a dataclass.

    Of two lines.
    """

    grams: int


class Asked(BaseModel):
    """A docstring beside a description that is asked for."""

    model_config = ConfigDict(json_schema_extra={"description": "A short poem"})

    mood: Mood
    place: Place
    weights: list[Weight]


class Nested(BaseModel):
    """An outer docstring."""

    poem: Asked
    named: Asked = Field(description="The last poem")


class Node(BaseModel):
    """A docstring of a recursive model."""

    name: str
    children: list["Node"] = Field(default_factory=list["Node"], max_length=3)


def test_field_descriptions_are_the_instruction_and_docstrings_stay_here() -> None:
    text = json.dumps(output_schema(Outer))

    assert "A title" in text
    assert "The inner one" in text
    assert "How large" in text
    assert "docstring" not in text


def test_no_docstring_of_any_kind_of_type_is_sent() -> None:
    assert "docstring" not in json.dumps([output_schema(Nested), output_schema(Node)])


def test_a_description_that_a_model_asks_for_is_sent() -> None:
    assert output_schema(Asked)["description"] == "A short poem"
    properties = output_schema(Nested)["properties"]
    assert [properties[name]["description"] for name in ("poem", "named")] == ["A short poem", "The last poem"]


def test_definitions_stand_where_they_are_used() -> None:
    schema = output_schema(Outer)

    assert "$defs" not in schema
    assert schema["properties"]["inner"]["properties"]["size"]["minimum"] == 1
    assert schema["properties"]["more"]["items"]["required"] == ["size"]
    assert all(each["additionalProperties"] is False for each in (schema, schema["properties"]["inner"]))


def test_a_field_with_one_value_is_not_asked_for() -> None:
    assert "kind" not in output_schema(Outer)["properties"]


def test_bounds_that_cut_sentences_are_checked_and_not_sent() -> None:
    properties = output_schema(Outer)["properties"]

    assert properties["title"]["maxLength"] == 40
    assert "maxLength" not in properties["long"]


def test_an_optional_field_stays_optional() -> None:
    schema = output_schema(Outer)

    assert "note" not in schema["required"]
    assert {"type": "null"} in schema["properties"]["note"]["anyOf"]


def test_a_recursive_model_keeps_its_definition() -> None:
    schema = output_schema(Node)

    assert schema["type"] == "object"
    validator: Any = Draft202012Validator(schema)
    assert validator.is_valid({"name": "a", "children": [{"name": "b", "children": []}]})
    assert not validator.is_valid({"name": "a", "children": [{"name": 1}]})


def test_fixed_fields_are_left_out_and_filled_in() -> None:
    fixed = {"inner": {"size": 7}, "note": None}

    schema = output_schema(Outer, fixed=fixed)

    assert "note" not in schema["properties"]
    assert schema["properties"]["inner"]["properties"] == {}
    merged = merge_fixed({"title": "A", "inner": {}}, fixed)
    assert merged == {"title": "A", "inner": {"size": 7}, "note": None}


def test_an_unknown_fixed_field_is_named() -> None:
    with pytest.raises(ValueError, match="fixed field 'nope' is unknown"):
        output_schema(Outer, fixed={"nope": 1})


@pytest.mark.parametrize("model", [Character, Faction, Setting, Event, Relic, Story])
def test_every_text_of_lore_has_an_instruction_or_a_plain_name(model: type[BaseModel]) -> None:
    schema = output_schema(model)
    Draft202012Validator.check_schema(schema)

    def texts(node: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
        found = [(name, node)] if node.get("type") == "string" else []
        for key, each in node.get("properties", {}).items():
            found += texts(each, key)
        return found

    for name, node in texts(schema, ""):
        assert "description" in node or name in ("title", "rarity"), name


class Tagged(BaseModel):
    value: Annotated[str, Field(pattern="^[A-Z]{3}$")]


def test_a_pattern_of_the_model_is_sent() -> None:
    assert output_schema(Tagged)["properties"]["value"]["pattern"] == "^[A-Z]{3}$"
