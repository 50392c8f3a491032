"""The job type generate_characters: what it takes, asks for, and accepts."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from loresmith.job_types.generate_characters import Character, CharacterKind, GenerateCharacters, generate_characters
from loresmith.llm.items import ItemFlow
from loresmith.lore import KNOWN_THEMES
from loresmith.lore.sketch import DECODING_PATTERN
from tests.job_types.scripted import Notebook, ScriptedLore

SCORES = ("knowledge", "empathy", "resilience", "creativity", "influence", "perception")


def written(**changes: Any) -> dict[str, Any]:
    """What a model writes, with changes."""
    scores = dict(zip(SCORES, range(9, 15), strict=True))
    return {
        "role": "Ranger",
        "virtue": "brave",
        "flaw": "sly",
        "temper": "fierce",
        "description": "A brave ranger who guards the last road to the north.",
        "appearance": "{pronoun} has freckles and braided hair.",
        "name": "Kira Thorne",
        "backstory": "{pronoun} survived a war that took a whole village.",
        "craft": "mending bows",
        "training": "tracking wolves",
        "talent": "reading the stars",
        "health": 118,
        "stress": 21,
        **scores,
        **changes,
    }


def of_brief(kind: CharacterKind, index: int, **changes: Any) -> dict[str, Any]:
    """A fit answer to one brief: the pronoun is the one that was asked for."""
    request = kind.request(index, 0, [])
    pronoun = "He" if "^He " in json.dumps(request.output_schema) else "She"
    return {
        name: value.format(pronoun=pronoun) if isinstance(value, str) else value
        for name, value in written(**changes).items()
    }


@pytest.fixture
def kind() -> CharacterKind:
    return CharacterKind("fantasy", 3, "job-1")


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


def test_a_fit_answer_becomes_a_character(kind: CharacterKind) -> None:
    character = kind.read(0, of_brief(kind, 0))

    assert character.name == "Kira Thorne"
    assert character.type == "character"
    assert character.details.traits == ["brave", "sly", "fierce"]
    assert character.details.skills == ["mending bows", "tracking wolves", "reading the stars"]
    assert character.details.stats.health == 118


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"description": "A brave ranger who guards the road of the."}, "unfinished"),
        ({"description": "A ranger who is a ranger and a ranger."}, "repeats"),
        ({"backstory": "{pronoun} lost a boat in a storm one night."}, "copies"),
        ({"appearance": "{pronoun} has a beard like his queen, and her lady."}, "confused"),
        ({"name": "Ranger Thorne"}, "name"),
        ({"name": "Nora Thorne"}, "name"),
        ({"name": "Kira Reed"}, "name"),
        ({"craft": "mending and forging"}, "skill"),
        ({"craft": "mending those who wander"}, "skill"),
        ({"description": "A brave ranger who lost her life at sea."}, "dead"),
        ({"talent": "reading the"}, "skill"),
        ({"talent": "reading in thetilton"}, "strange"),
        ({"craft": "mending wolves", "talent": "reading wolves"}, "all about 'wolves'"),
        ({"health": 151}, "health"),
        ({"stress": -1}, "stress"),
        (dict.fromkeys(("stress", *SCORES), 10), "same"),
        ({"backstory": "{pronoun} was later killed by a wolf."}, "dead"),
    ],
)
def test_an_unfit_answer_is_refused(kind: CharacterKind, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        kind.read(0, of_brief(kind, 0, **changes))


def test_each_item_is_asked_for_from_another_angle(kind: CharacterKind) -> None:
    asked = [kind.request(index, 0, []).prompt.rsplit("who is a", 1)[1] for index in range(3)]

    assert len({each.splitlines()[0] for each in asked}) == 3


def test_another_attempt_has_another_seed_and_is_told_the_names_to_avoid(kind: CharacterKind) -> None:
    first, second = kind.request(0, 0, []), kind.request(0, 1, ["Kira Thorne"])

    assert first.seed != second.seed
    assert "Kira Thorne" in second.prompt
    assert kind.request(0, 0, []) == first


@pytest.mark.parametrize("theme", [*KNOWN_THEMES, "pirates of a frozen sea"])
@pytest.mark.parametrize("index", range(10))
def test_what_is_asked_for_is_a_schema_whose_patterns_compile(theme: str, index: int) -> None:
    schema = CharacterKind(theme, 10, "job-2").request(index, 0, []).output_schema

    Draft202012Validator.check_schema(schema)
    for field in schema["properties"].values():
        re.compile(field.get(DECODING_PATTERN, ""))


async def test_the_flow_makes_characters_of_them(kind: CharacterKind) -> None:
    names = iter(("Kira Thorne", "Dorin Hale", "Sella Marsh"))
    backstories = iter(("survived a war", "found a lost key", "left home at night"))

    def answer(asked: Any) -> dict[str, Any]:
        index = int(asked.purpose.split()[1].rstrip(",")) - 1
        return of_brief(kind, index, name=next(names), backstory=f"{{pronoun}} {next(backstories)} long ago.")

    characters = await ItemFlow(Notebook(), ScriptedLore(answer), kind, 3, "Generating characters...").run()

    assert all(isinstance(each, Character) for each in characters)
    assert len({each.name for each in characters}) == 3


def test_it_is_a_job_type() -> None:
    assert generate_characters.name == "generate_characters"
    assert generate_characters.item_model is Character


def test_a_first_name_never_starts_as_the_role_does() -> None:
    """A small model calls the wizard Wizarda, twelve times."""
    for number in range(40):
        kind = CharacterKind("fantasy", 3, f"job-{number}")
        for index in range(3):
            for attempt in range(12):
                request = kind.request(index, attempt, [])
                properties = request.output_schema["properties"]
                role = properties["role"][DECODING_PATTERN].strip("^$")
                initials = {word[0].upper() for word in role.split()}
                assert properties["name"][DECODING_PATTERN].lstrip("^")[0] not in initials


def test_no_two_items_have_names_that_start_alike_and_a_brief_is_not_tried_for_ever() -> None:
    kind = CharacterKind("steampunk", 3, "job-1")
    firsts: list[set[str]] = []
    for index in range(3):
        requests = [kind.request(index, attempt, []) for attempt in range(12)]
        firsts.append({str(one.output_schema["properties"]["name"][DECODING_PATTERN])[1] for one in requests})
        assert len({one.prompt.rsplit("Character:", 1)[1] for one in requests}) == 4
    assert len(set[str]().union(*firsts)) == sum(map(len, firsts))
