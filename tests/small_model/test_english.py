"""Words that are none are found, and what is loosely built; plain sentences are left alone."""

import pytest

from loresmith.small_model.english import unknown_words, weakness_of, weakness_of_wording


@pytest.mark.parametrize(
    "text",
    [
        "A feared guild that robs the palace twice a year.",
        "Its shieldmakers and rune carvers sail longships to Kelvarin.",
        "The gearworks' boilers hiss, and nobody's watching the netrunner.",
        "An honest hour with a unicorn, an old union and a house.",
        "A one-armed captain told her to leave the honeyed, once-great hall.",
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
        ("They carry a axe.", "wrong article"),
        ("They carry an sword.", "wrong article"),
        ("It was left in a the tower.", "wrong article"),
        ("They hide what they are.", "loosely built"),
        ("They wait until they've.", "loosely built"),
        ("robbing to build a castle", "loosely built"),
    ],
)
def test_a_weakness_is_named(text: str, weakness: str) -> None:
    assert weakness in (weakness_of(text) or "")


def test_words_of_the_task_and_names_are_known() -> None:
    assert unknown_words("the qirath of Zelwin", known={"qirath"}) == set()
    assert unknown_words("the qirath of zelwin") == {"qirath", "zelwin"}


def test_a_word_that_is_worn_out_is_named() -> None:
    before = ["It serves the dragons.", "A dragon made it."]

    assert "dragon' twice" in (weakness_of_wording("A dragon that guards another dragon.", [], "") or "")
    assert "dragon' once more" in (weakness_of_wording("It is a dragon.", before, "old dragons") or "")
    assert weakness_of_wording("It is a dragon.", before, "a city of robots") is None
    assert weakness_of_wording("It is a dragon.", before[:1], "old dragons") is None
