"""A long object: each finished text is saved at once, and nothing that is finished is asked for again."""

from typing import Any

from pydantic import BaseModel, Field

from loresmith import JobContext, job_type
from loresmith.bootstrap import classify
from loresmith.generation import generate_streamed
from loresmith.jobs.testing import Trial, try_job
from loresmith.llm.errors import GenerationError
from loresmith.llm.fake import Interrupted, Script, ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel


class Empty(BaseModel):
    pass


class Line(BaseModel):
    text: str = Field(max_length=20)


class Poem(BaseModel):
    title: str = Field(max_length=20)
    lines: list[str] = Field(min_length=3, max_length=9)
    moral: str


@job_type("write_poem")
async def write_poem(ctx: JobContext[Empty, Line]) -> Poem:
    """Write a poem."""
    return await generate_streamed(ctx, Poem, "Write a poem.", texts="lines", item=Line, first_item=2)


LINES = ["One.", "Two.", "Three.", "Four."]
POEM: dict[str, Any] = {"title": "Numbers", "lines": LINES, "moral": "Count."}


async def run(script: Script, **options: Any) -> tuple[Trial, list[GenerationRequest]]:
    model = ScriptedLoreModel(script)
    trial = await try_job(write_poem, {}, resources={LoreModel: model}, classify=classify, **options)
    return trial, model.requests


async def test_each_text_is_an_item_as_soon_as_it_is_finished() -> None:
    gone = GenerationError("provider_unavailable", "gone", retryable=True)

    trial, _ = await run(lambda _: Interrupted({"title": "Numbers", "lines": LINES[:2]}, gone))

    assert trial.error is not None
    assert trial.items == {2: {"text": "One."}, 3: {"text": "Two."}}


async def test_a_whole_answer_is_the_object_in_one_call() -> None:
    trial, requests = await run(lambda _: POEM)

    assert trial.result == POEM
    assert list(trial.items) == [2, 3, 4, 5]
    assert len(requests) == 1
    assert requests[0].repairs == 0


async def test_the_next_attempt_sees_finished_texts_and_asks_for_the_rest() -> None:
    done = {2: {"text": "One."}, 3: {"text": "Two."}}

    trial, (request,) = await run(
        lambda _: {"title": "Numbers", "lines": LINES[2:], "moral": "Count."}, items=done, attempt=2
    )

    assert trial.result == POEM
    assert '1. "One."\n2. "Two."\nGo on after them' in request.prompt
    lines = request.output_schema["properties"]["lines"]
    assert (lines["minItems"], lines["maxItems"]) == (1, 7)


async def test_an_object_that_was_finished_is_not_asked_for_again() -> None:
    first, _ = await run(lambda _: POEM)

    trial, requests = await run(
        lambda _: GenerationError("provider_auth", "asked again"), items=first.items, steps=first.steps
    )

    assert trial.result == POEM
    assert requests == []


async def test_an_answer_that_was_cut_off_is_continued_within_the_attempt() -> None:
    cut = Interrupted({"title": "Numbers", "lines": LINES[:3]}, GenerationError("output_invalid", "cut off"))

    trial, requests = await run(
        lambda asked: {"title": "Numbers", "lines": LINES[3:], "moral": "Count."} if "Go on" in asked.prompt else cut
    )

    assert trial.result == POEM
    assert len(requests) == 2
    assert "An earlier answer was not valid: cut off" in requests[1].prompt


async def test_a_wrong_field_is_repaired_without_the_texts() -> None:
    def script(asked: GenerationRequest) -> dict[str, Any]:
        if "lines" in asked.output_schema["properties"]:
            return {**POEM, "title": "A title that is too long"}
        return {"title": "Numbers", "moral": "Count."}

    trial, requests = await run(script)

    assert trial.result == POEM
    assert list(requests[1].output_schema["properties"]) == ["title", "moral"]
    assert "title: String should have at most 20 characters" in requests[1].prompt


async def test_what_stays_invalid_fails_and_names_the_field() -> None:
    trial, requests = await run(
        lambda asked: (
            {**POEM, "title": "A title that is too long", "lines": []}
            if "Write what" in asked.prompt
            else {**POEM, "title": "A title that is too long"}
        )
    )

    assert trial.error is not None
    assert trial.error.code == "output_invalid"
    assert "title" in trial.error.message
    assert len(requests) == 2


async def test_an_error_of_the_provider_is_left_to_the_engine() -> None:
    trial, requests = await run(lambda _: GenerationError("provider_rate_limited", "later", retryable=True))

    assert trial.error is not None
    assert trial.error.retryable
    assert len(requests) == 1
