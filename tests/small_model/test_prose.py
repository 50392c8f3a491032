"""What a person would not want to read is found; what they would is left alone."""

import pytest

from loresmith.small_model.prose import (
    problem_of_echo,
    problem_of_name,
    problem_of_phrase,
    problem_of_sentence,
    problems_of_prose,
)


@pytest.mark.parametrize(
    "text",
    [
        "A brave, cunning woman who loves to protect her home and the land.",
        "She has freckles, and a big nose.",
        "He was once a member of the castle's elite.",
        "She wears a long-sleeved coat of mixed wool.",
    ],
)
def test_a_plain_sentence_is_fit(text: str) -> None:
    assert problem_of_sentence(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("He was a knight", "whole sentence"),
        ("he was a knight.", "whole sentence"),
        ("He was raised by a group of the.", "unfinished"),
        ("He was a dragon hunter, and he was a dragon hunter.", "repeats"),
        ("A wise, wise man who lives in a tower.", "stutters"),
        ("She has hair and more hair and no other thing than hair.", "repeats"),
        ("El caballero vive solo cerca del mar.", "English"),
        ("A wizard who lives in a fantasy world.", "task"),
        ("She lives in a castle of zzzork by the sea.", "strange"),
        ("She told him to fuck off and left.", "unfit"),
        ("He was forced to kill his own children.", "cruel"),
        (f"He was {'very ' * 60}old.", "too long"),
    ],
)
def test_a_broken_sentence_is_named(text: str, problem: str) -> None:
    assert problem in (problem_of_sentence(text) or "")


def test_an_echo_of_the_example_is_found_whatever_its_case_and_marks() -> None:
    example = "A merry woman who knows every mile of the line."

    assert problem_of_echo("Brave, she Knows every mile, of the line.", [example], 5)
    assert problem_of_echo("She knows every road in the kingdom.", [example], 5) is None


def test_fields_that_say_the_same_are_found() -> None:
    texts = {
        "description": "A woman who was saved by a knight of old.",
        "backstory": "She was saved by a knight of old.",
    }

    assert [*problems_of_prose(texts, [])] == ["backstory"]


@pytest.mark.parametrize("phrase", ["forging swords", "reading the stars", "healing wounds of war"])
def test_a_plain_phrase_is_fit(phrase: str) -> None:
    assert problem_of_phrase(phrase) is None


@pytest.mark.parametrize("phrase", ["", "telling the", "fighting  dragons", "reading xqkrzzzt"])
def test_a_broken_phrase_is_named(phrase: str) -> None:
    assert problem_of_phrase(phrase)


@pytest.mark.parametrize("name", ["Wizard Black", "Frodoella Black", "Tinaaw Solan", "Kate Aeiou"])
def test_what_nobody_is_called_is_no_name(name: str) -> None:
    assert problem_of_name(name, {"wizard"})


@pytest.mark.parametrize("name", ["Kate Turner", "Lennox Loomis", "Hilda Thomas"])
def test_a_plain_name_is_fit(name: str) -> None:
    assert problem_of_name(name, {"wizard"}) is None
