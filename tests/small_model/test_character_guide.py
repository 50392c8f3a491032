"""The guide for characters: requests, judgement of answers and names."""

from typing import Any

import pytest

from loresmith.small_model.guides.characters import CharacterGuide
from loresmith.small_model.item_guide import TRIES, TRIES_OF_A_BRIEF
from tests.small_model.guides import written

SCORES = ("knowledge", "empathy", "resilience", "creativity", "influence", "perception")


@pytest.fixture
def guide() -> CharacterGuide:
    return CharacterGuide("fantasy", 3, "job-1")


def test_a_fit_answer_becomes_a_character(guide: CharacterGuide) -> None:
    character = guide.read(0, written(guide))

    assert character.name == "Kira Thorne"
    assert character.type == "character"
    assert character.details.traits == ["brave", "sly", "fierce"]
    assert character.details.skills == ["mending bows", "tracking wolves", "reading the stars"]
    assert character.details.stats.health == 50


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
def test_an_unfit_answer_is_refused(guide: CharacterGuide, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        guide.read(0, written(guide, **changes))


def test_each_item_has_another_trade(guide: CharacterGuide) -> None:
    asked = [guide.request(index, 0, []).prompt.rsplit("who is a", 1)[1] for index in range(3)]

    assert len({each.splitlines()[0] for each in asked}) == 3


def test_another_attempt_has_another_seed_and_the_taken_names(guide: CharacterGuide) -> None:
    first, second = guide.request(0, 0, []), guide.request(0, 1, ["Kira Thorne"])

    assert first.seed != second.seed
    assert "Kira Thorne" in second.prompt
    assert guide.request(0, 0, []) == first


def test_a_first_name_never_starts_as_the_role() -> None:
    """A small model calls the wizard Wizarda, twelve times."""
    for number in range(40):
        guide = CharacterGuide("fantasy", 3, f"job-{number}")
        for index in range(3):
            for attempt in range(TRIES):
                request = guide.request(index, attempt, [])
                properties = request.output_schema["properties"]
                role = properties["role"]["pattern"].strip("^$")
                initials = {word[0].upper() for word in role.split()}
                assert properties["name"]["pattern"].lstrip("^")[0] not in initials


def test_names_of_two_items_never_start_with_the_same_letter() -> None:
    guide = CharacterGuide("steampunk", 3, "job-1")
    firsts: list[set[str]] = []
    for index in range(3):
        requests = [guide.request(index, attempt, []) for attempt in range(TRIES)]
        firsts.append({str(one.output_schema["properties"]["name"]["pattern"])[1] for one in requests})
        assert len({one.prompt.rsplit("Character:", 1)[1] for one in requests}) == TRIES // TRIES_OF_A_BRIEF
    assert len(set[str]().union(*firsts)) == sum(map(len, firsts))
