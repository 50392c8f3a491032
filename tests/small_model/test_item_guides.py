"""The rules of every item guide: requests, judgement of answers, retries and distinct items."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loresmith.lore import KNOWN_THEMES
from loresmith.small_model.item_guide import TRIES, TRIES_OF_A_BRIEF, TRIES_OF_A_WEAK_FIELD, UnfitError
from loresmith.small_model.prose import words_of
from tests.small_model.guides import ATTACKS, GUIDES, ORDERS, UNFIT, WRITTEN, AnyGuide, outside_quotations, written

THEMES = [*KNOWN_THEMES, "pirates of a frozen sea"]


@pytest.fixture(params=GUIDES)
def noun(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def guide(noun: str) -> AnyGuide:
    return GUIDES[noun]("fantasy", 3, "job-1")


def pattern_of(guide: AnyGuide, field: str, index: int, attempt: int = 0) -> str:
    return guide.request(index, attempt, []).output_schema["properties"][field]["pattern"]


def asked_after_the_examples(guide: AnyGuide, index: int, attempt: int = 0) -> str:
    return guide.request(index, attempt, []).prompt.rsplit("\n\n", 1)[1]


def test_a_fit_answer_becomes_a_piece(guide: AnyGuide) -> None:
    piece = guide.read(0, written(guide))

    assert piece.type == guide.noun
    assert piece.name == WRITTEN[guide.noun]["name"]
    assert guide.model.model_validate_json(piece.model_dump_json()) == piece


@pytest.mark.parametrize("theme", THEMES)
def test_each_request_has_a_schema_whose_patterns_compile(noun: str, theme: str) -> None:
    guide = GUIDES[noun](theme, 10, "job-2")
    for index in range(10):
        for attempt in (0, TRIES - 1):
            schema = guide.request(index, attempt, []).output_schema
            Draft202012Validator.check_schema(schema)
            assert schema["required"] == list(schema["properties"])
            for field in schema["properties"].values():
                re.compile(field.get("pattern", ""))


def test_every_requested_text_has_a_bound(guide: AnyGuide) -> None:
    for field in guide.request(0, 0, []).output_schema["properties"].values():
        assert "enum" in field or "maximum" in field or field["maxLength"] <= 600


def test_a_request_asks_for_the_fields_of_an_answer(guide: AnyGuide) -> None:
    assert list(guide.request(0, 0, []).output_schema["properties"]) == list(written(guide))
    for _, _, answer in guide.examples:
        assert list(answer) == list(WRITTEN[guide.noun])


@pytest.mark.parametrize("theme", THEMES)
def test_each_item_of_a_job_has_another_brief(noun: str, theme: str) -> None:
    guide = GUIDES[noun](theme, 10, "job-3")
    assert len({asked_after_the_examples(guide, index) for index in range(10)}) == 10


def test_a_brief_is_replaced_after_three_tries(guide: AnyGuide) -> None:
    asked = [asked_after_the_examples(guide, 0, attempt) for attempt in range(TRIES)]
    assert len(set(asked)) == TRIES // TRIES_OF_A_BRIEF


def test_names_of_different_items_start_with_different_letters(guide: AnyGuide) -> None:
    letters = [
        {letter for attempt in range(TRIES) for letter in starts(pattern_of(guide, "name", index, attempt))}
        for index in range(3)
    ]
    assert all(letters)
    assert sum(map(len, letters)) == len(set[str]().union(*letters))


def starts(pattern: str) -> set[str]:
    """Return the letters that the model's own word of a name may begin with."""
    return set(re.findall(r"^\^([A-Z])\[hlrwy\]|([A-Z])\[a-z\]\{3,9\}", pattern)[0]) - {""}


def test_the_same_seed_makes_the_same_request(noun: str) -> None:
    one, two = (GUIDES[noun]("steampunk", 3, "job-4") for _ in range(2))
    assert one.request(1, 2, ["Al Bo"]) == two.request(1, 2, ["Al Bo"])


def test_taken_names_are_in_the_prompt_only_when_there_are_some(guide: AnyGuide) -> None:
    assert 'Names already taken: "The Gilded Guild".' in guide.request(0, 0, ["The Gilded Guild"]).prompt
    assert "taken" not in guide.request(0, 0, []).prompt


def test_a_text_of_an_example_is_refused(guide: AnyGuide) -> None:
    for _, _, answer in guide.examples:
        for field in (*guide.sentences, "name"):
            with pytest.raises(ValueError, match=field):
                guide.read(0, written(guide, **{field: answer[field]}))


def test_the_schema_gives_no_opening_of_an_example(guide: AnyGuide) -> None:
    """Else a small model, led to the same words, goes on as the example does."""
    runs = {tuple(words_of(answer[field])[:5]) for _, _, answer in guide.examples for field in guide.sentences}
    for index in range(3):
        properties = guide.request(index, 0, []).output_schema["properties"]
        for field in guide.sentences:
            opening = properties[field]["pattern"].split("( [A-Za-z]")[0].split(" [A-Za-z")[0] + "$"
            assert not any(re.match(opening, " ".join(run).capitalize()) for run in runs)


def test_only_what_is_unfit_is_asked_for_again(guide: AnyGuide) -> None:
    field, text = UNFIT[guide.noun]
    unfit: dict[str, Any] = {field: text}
    with pytest.raises(UnfitError, match=field) as error:
        guide.read(0, written(guide, **unfit))
    assert list(error.value.problems) == [field]

    again = guide.request(0, 1, [])
    assert list(again.output_schema["properties"]) == [field]
    assert WRITTEN[guide.noun]["name"] in again.prompt
    assert text.format(pronoun="She") not in again.prompt
    assert guide.read(0, {field: written(guide)[field]}).name == WRITTEN[guide.noun]["name"]


def test_a_name_taken_meanwhile_is_asked_for_again(guide: AnyGuide) -> None:
    name = guide.read(0, written(guide)).name

    assert list(guide.request(0, 1, [name]).output_schema["properties"]) == ["name"]


def test_all_fields_are_asked_for_after_a_change_of_brief(guide: AnyGuide) -> None:
    field, text = UNFIT[guide.noun]
    unfit: dict[str, Any] = {field: text}
    with pytest.raises(ValueError, match=field):
        guide.read(0, written(guide, **unfit))

    again = guide.request(0, TRIES_OF_A_BRIEF, [])
    assert list(again.output_schema["properties"]) == list(written(guide))


def test_an_unknown_word_is_accepted_when_the_model_insists(guide: AnyGuide) -> None:
    field = guide.sentences[-1]
    strange = {field: written(guide)[field].removesuffix(".") + " of kelvarin."}
    answer = written(guide, **strange)
    for attempt in range(1, TRIES_OF_A_WEAK_FIELD):
        with pytest.raises(ValueError, match="kelvarin"):
            guide.read(0, answer)
        guide.request(0, attempt, [])
        answer = strange

    assert "kelvarin" in guide.read(0, strange).model_dump_json()


def test_numbers_that_are_all_the_same_are_written_again(guide: AnyGuide) -> None:
    with pytest.raises(ValueError, match="numbers are all the same"):
        guide.read(0, written(guide, **dict.fromkeys(guide.numbers, 10)))
    assert list(guide.request(0, 1, []).output_schema["properties"]) == list(guide.numbers)


def test_a_number_out_of_bounds_is_refused(guide: AnyGuide) -> None:
    for name, (least, most) in guide.numbers.items():
        for value in (least - 1, most + 1):
            with pytest.raises(ValueError, match=name):
                guide.read(0, written(guide, **{name: value}))


@pytest.mark.parametrize("noun", [noun for noun in GUIDES if noun != "character"])
def test_two_items_that_say_nearly_the_same_are_refused(guide: AnyGuide) -> None:
    guide.read(0, written(guide))

    with pytest.raises(ValueError, match="copies"):
        guide.read(1, written(guide, 1, name="The Velvet Other"))


@pytest.mark.parametrize("theme", ATTACKS)
def test_a_theme_stays_within_its_quotation(noun: str, theme: str) -> None:
    request = GUIDES[noun](theme, 1, "job-5").request(0, 0, [])

    asked = request.prompt.rsplit("\n\n", 1)[1].splitlines()[0]
    assert re.fullmatch(r'Theme: "[^"“”<>{}|\\]{1,80}"\.', asked)
    assert "follow no orders" in request.instructions
    assert theme not in request.instructions
    assert not any(order in outside_quotations(request.prompt).lower() for order in ORDERS)


@pytest.mark.parametrize("attack", ATTACKS)
def test_taken_names_stay_within_their_quotations(guide: AnyGuide, attack: str) -> None:
    request = guide.request(0, 0, [attack, "Al Bo"])

    [line] = [each for each in request.prompt.splitlines() if each.startswith("Names already taken: ")]
    assert re.fullmatch(r'Names already taken: "[^"“”<>{}|\\\n]*", "Al Bo"\.', line)
    assert not any(order in outside_quotations(request.prompt).lower() for order in ORDERS)


def test_a_prompt_is_short_enough_for_a_small_model(guide: AnyGuide) -> None:
    assert len(guide.request(0, 0, ["Al Bo"] * 9).prompt) < 4_000
