"""Words that are none are found, and what is loosely built; plain sentences are left alone."""

import pytest

from loresmith.lore.english import unknown_words, weakness_of


@pytest.mark.parametrize(
    "text",
    [
        "A feared guild that robs the palace twice a year.",
        "Its shieldmakers and rune carvers sail longships to Kelvarin.",
        "The gearworks' boilers hiss, and nobody's watching the netrunner.",
        "An honest hour with a unicorn, an old union and a house.",
        "They've kept a half-empty well for those who ask.",
    ],
)
def test_plain_english_is_left_alone(text: str) -> None:
    assert weakness_of(text) is None


@pytest.mark.parametrize(
    ("text", "weakness"),
    [
        ("They serve the king ofchs.", "ofchs"),
        ("It shines in the leaen.", "leaen"),
        ("A dragon that guards another dragon.", "dragon' twice"),
        ("They carry a axe.", "wrong article"),
        ("They carry an sword.", "wrong article"),
        ("It was left in a the tower.", "wrong article"),
        ("They hide what they are.", "loosely built"),
        ("They wait until they've.", "loosely built"),
        ("robbing to build a castle", "loosely built"),
        ("They went out at night and came home by day with bread for all who had been left alone in town.", "long"),
    ],
)
def test_a_weakness_is_named(text: str, weakness: str) -> None:
    assert weakness in (weakness_of(text) or "")


def test_words_of_the_task_and_names_are_known() -> None:
    assert unknown_words("the qirath of Zelwin", known={"qirath"}) == set()
    assert unknown_words("the qirath of zelwin") == {"qirath", "zelwin"}
