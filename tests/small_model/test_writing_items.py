"""Items from a guide and the function that calls the model: tries, errors, taken names and logs."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from loresmith.llm.errors import ErrorCode, GenerationError
from loresmith.llm.port import GenerationRequest
from loresmith.small_model.item_guide import TRIES
from tests.small_model.guides import GUIDES, UNFIT, WRITTEN, AnyGuide, ScriptedAsk, answer_for

OTHER_NAMES = {"character": "Dorin Hale", "setting": "Velvet Hollow"}


@pytest.fixture(params=GUIDES)
def guide(request: pytest.FixtureRequest) -> AnyGuide:
    return GUIDES[request.param]("fantasy", 3, "job-1")


def requested(request: GenerationRequest, answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in request.output_schema["properties"]}


def writes(guide: AnyGuide, *names: str) -> ScriptedAsk:
    """Return a model that writes well, and names the item by `names`, one an answer, the last one from then on."""

    def answer(request: GenerationRequest) -> dict[str, Any]:
        name = names[min(len(ask.requests), len(names)) - 1] if names else WRITTEN[guide.noun]["name"]
        return requested(request, answer_for(request, guide, name=name))

    ask = ScriptedAsk(answer)
    return ask


def writes_badly(guide: AnyGuide) -> ScriptedAsk:
    """Return a model of whose answers one field is always unfit."""
    field, text = UNFIT[guide.noun]
    unfit: dict[str, Any] = {field: text}
    return ScriptedAsk(lambda request: requested(request, answer_for(request, guide, **unfit)))


async def test_a_fit_answer_is_asked_for_once(guide: AnyGuide) -> None:
    ask = writes(guide)

    assert (await guide.write(0, ask, list)).name == WRITTEN[guide.noun]["name"]
    assert ask.repeats == [False]


async def test_an_unfit_answer_fails_the_item_after_all_tries(guide: AnyGuide) -> None:
    ask = writes_badly(guide)

    with pytest.raises(GenerationError, match=f"{guide.noun} 2 is unfit after {TRIES} tries") as error:
        await guide.write(1, ask, list)

    assert error.value.code == "output_invalid"
    assert ask.repeats == [False] + [True] * (TRIES - 1)
    assert len({request.seed for request in ask.requests}) == TRIES


async def test_only_unfit_fields_are_asked_for_again(guide: AnyGuide) -> None:
    field, text = UNFIT[guide.noun]

    def answer(request: GenerationRequest) -> dict[str, Any]:
        fit = answer_for(request, guide)
        return requested(request, fit if len(ask.requests) > 1 else {**fit, field: text.format(pronoun="She")})

    ask = ScriptedAsk(answer)

    assert await guide.write(0, ask, list)
    assert ask.asked[1:] == [[field]]


async def test_an_answer_against_the_schema_counts_as_a_try(guide: AnyGuide) -> None:
    fit = writes(guide)
    error = GenerationError("output_invalid", "the answer is no JSON")
    ask = ScriptedAsk(lambda request: error if len(ask.requests) < 3 else answer_for(request, guide))

    assert await guide.write(0, ask, list) == await guide.write(0, fit, list)
    assert ask.repeats == [False, True, True]


async def test_answers_that_are_always_invalid_fail_the_item(guide: AnyGuide) -> None:
    ask = ScriptedAsk(lambda _: GenerationError("output_invalid", "the answer is no JSON"))

    with pytest.raises(GenerationError, match=f"{TRIES} tries: the answer is no JSON") as error:
        await guide.write(0, ask, list)

    assert error.value.code == "output_invalid"
    assert len(ask.requests) == TRIES


@pytest.mark.parametrize("code", ["provider_unavailable", "budget_exceeded", "content_refused"])
async def test_another_error_of_the_model_ends_the_item_at_once(code: ErrorCode) -> None:
    guide: AnyGuide = GUIDES["relic"]("fantasy", 3, "job-1")
    failure = GenerationError(code, "no answer")
    ask = ScriptedAsk(lambda _: failure)

    with pytest.raises(GenerationError) as error:
        await guide.write(0, ask, list)

    assert error.value is failure
    assert len(ask.requests) == 1


async def test_an_item_with_a_similar_name_is_named_again(guide: AnyGuide) -> None:
    name, other = WRITTEN[guide.noun]["name"], OTHER_NAMES.get(guide.noun, "The Velvet Ash")
    taken = [f"Grim {name.split()[1]}"]
    ask = writes(guide, name, other)

    assert (await guide.write(0, ask, lambda: taken)).name == other
    assert ask.asked[1:] == [["name"]]


async def test_a_name_taken_during_the_call_is_not_used_twice(guide: AnyGuide) -> None:
    name, other = WRITTEN[guide.noun]["name"], OTHER_NAMES.get(guide.noun, "The Velvet Ash")
    ask = writes(guide, name, other)

    piece = await guide.write(0, ask, lambda: [name] if ask.requests else [])

    assert piece.name == other
    assert f'Names already taken: "{name}".' not in ask.requests[0].prompt
    assert f'Names already taken: "{name}".' in ask.requests[1].prompt


async def test_logs_name_rejected_fields_without_the_text_of_the_model(guide: AnyGuide) -> None:
    field, text = UNFIT[guide.noun]
    with capture_logs() as logs, pytest.raises(GenerationError):
        await guide.write(1, writes_badly(guide), list)

    assert len(logs) == TRIES
    assert all(log["event"] == "item_rejected" and log["item"] == 1 for log in logs)
    assert {tuple(log["fields"]) for log in logs} == {(field,)}
    assert text.removeprefix("{pronoun}") not in str(logs)
    assert WRITTEN[guide.noun]["name"] not in str(logs)


async def test_logs_have_no_text_of_an_invalid_answer_or_a_taken_name() -> None:
    guide: AnyGuide = GUIDES["faction"]("fantasy", 3, "job-1")
    failing = ScriptedAsk(lambda _: GenerationError("output_invalid", "The Gilded Guild is no JSON"))
    with capture_logs() as logs:
        for ask, taken in ((failing, []), (writes(guide), ["The Gilded Hand"])):
            with pytest.raises(GenerationError):
                await guide.write(0, ask, lambda names=taken: names)

    assert len(logs) == 2 * TRIES
    assert "Gilded" not in str(logs)
