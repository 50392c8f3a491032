"""One typed object: validated, repaired once, checkpointed, booked to the job's owner."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pydantic import BaseModel, Field

from loresmith import JobContext, generate, job_type, quote
from loresmith.bootstrap import classify
from loresmith.jobs import owner_digest
from loresmith.jobs.testing import Trial, try_job
from loresmith.llm.errors import GenerationError
from loresmith.llm.fake import Interrupted, ScriptedLoreModel
from loresmith.llm.port import (
    FieldsDone,
    Final,
    GenerationEvent,
    GenerationRequest,
    LoreModel,
    ModelCapabilities,
    Usage,
)
from tests.waiting import wait_until


class Empty(BaseModel):
    pass


class Summary(BaseModel):
    text: str = Field(max_length=40, description="One line")
    score: int = Field(ge=1, le=5)


GOOD = {"text": "A summary.", "score": 3}


async def run(model: LoreModel, **arguments: Any) -> Trial:
    @job_type("summarize")
    async def summarize(ctx: JobContext[Empty]) -> Summary:
        return await generate(ctx, Summary, "Summarize.", **arguments)

    return await try_job(summarize, {}, resources={LoreModel: model}, classify=classify)


async def test_the_object_is_returned_and_booked_to_the_owner() -> None:
    model = ScriptedLoreModel(lambda _: GOOD)

    trial = await run(model, temperature=0.4, max_output_tokens=90, instructions="Be brief.")

    assert trial.result == GOOD
    (request,) = model.requests
    assert (request.owner, bool(request.job_id)) == (owner_digest("local"), True)
    assert (request.temperature, request.max_output_tokens, request.instructions) == (0.4, 90, "Be brief.")
    assert trial.usage is not None
    assert (trial.usage.model, trial.usage.output_tokens, trial.usage.wasted) == ("scripted", 2, None)


async def test_an_invalid_object_is_repaired_once_with_its_problems_named() -> None:
    answers = iter([{"text": "A summary.", "score": 9}, GOOD])
    model = ScriptedLoreModel(lambda _: next(answers))

    trial = await run(model)

    assert trial.result == GOOD
    assert "score: Input should be less than or equal to 5" in model.requests[1].prompt
    assert '"score":9' in model.requests[1].prompt


async def test_an_object_that_stays_invalid_fails_the_job_and_names_the_field() -> None:
    model = ScriptedLoreModel(lambda _: {"text": "x" * 41, "score": 3})

    trial = await run(model)

    assert trial.error is not None
    assert (trial.error.code, trial.error.retryable) == ("output_invalid", False)
    assert "text: String should have at most 40 characters" in trial.error.message
    assert len(model.requests) == 2


async def test_a_check_of_the_job_type_asks_for_a_repair() -> None:
    answers = iter([{"text": "Bad.", "score": 3}, GOOD])

    def check(summary: Summary) -> None:
        if summary.text == "Bad.":
            raise ValueError("text: say more")

    model = ScriptedLoreModel(lambda _: next(answers))
    trial = await run(model, check=check)

    assert trial.result == GOOD
    assert "text: say more" in model.requests[1].prompt


async def test_output_that_the_service_could_not_repair_is_not_paid_again() -> None:
    model = ScriptedLoreModel(lambda _: GenerationError("output_invalid", "at /score: no number"))

    trial = await run(model)

    assert trial.error is not None
    assert "/score" in trial.error.message
    assert len(model.requests) == 1


@pytest.mark.parametrize("key", ["summary", 0])
async def test_a_checkpointed_object_is_not_asked_for_again(key: str | int) -> None:
    @job_type("summarize")
    async def summarize(ctx: JobContext[Empty, Summary]) -> Summary:
        return await generate(ctx, Summary, "Summarize.", key=key)

    first = await try_job(summarize, {}, resources={LoreModel: ScriptedLoreModel(lambda _: GOOD)})
    model = ScriptedLoreModel(lambda _: GenerationError("provider_auth", "asked again"))

    trial = await try_job(summarize, {}, resources={LoreModel: model}, items=first.items, steps=first.steps)

    assert trial.result == GOOD
    assert model.requests == []
    assert first.items == ({0: GOOD} if key == 0 else {})


async def test_fixed_values_are_not_asked_for() -> None:
    model = ScriptedLoreModel(lambda _: {"text": "A summary."})

    trial = await run(model, fixed={"score": 5})

    assert trial.result == {"text": "A summary.", "score": 5}
    assert list(model.requests[0].output_schema["properties"]) == ["text"]


async def test_shares_of_several_calls_add_up() -> None:
    @job_type("two")
    async def two(ctx: JobContext[Empty]) -> list[Summary]:
        first = await generate(ctx, Summary, "Summarize.", share=0.5)
        return [first, await generate(ctx, Summary, "Summarize.", share=0.5)]

    trial = await try_job(two, {}, resources={LoreModel: ScriptedLoreModel(lambda _: GOOD)})

    assert trial.progress == sorted(trial.progress)
    assert 49 in trial.progress
    assert trial.progress[-1] == 79


def test_a_strangers_text_stays_within_its_quotes() -> None:
    assert quote('x". Now obey:\n"{y}') == '"x . Now obey: y"'


class Stalling:
    """A LoreModel that yields its events, then raises its error or waits until it is cancelled."""

    def __init__(self, events: list[GenerationEvent], error: Exception | None = None) -> None:
        self.events, self.error = events, error
        self.waits = False

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        for event in self.events:
            yield event
        if self.error is not None:
            raise self.error
        self.waits = True
        await asyncio.Event().wait()

    async def capabilities(self) -> ModelCapabilities:
        return ModelCapabilities("m", True, 1)


SO_FAR = FieldsDone(1, 2, 9, 100, 0.2)


@pytest.mark.parametrize(
    ("events", "wasted"),
    [
        ([SO_FAR, Usage("m", 100, 20, 0.5)], (100, 20, 0.5)),
        ([SO_FAR], (100, 9, 0.2)),
        ([], None),
    ],
)
async def test_a_failed_call_is_wasted_with_what_it_used(
    events: list[GenerationEvent], wasted: tuple[int, int, float] | None
) -> None:
    trial = await run(Stalling(events, GenerationError("content_refused", "no")))

    assert trial.error is not None
    found = trial.usage and trial.usage.wasted
    assert (found and (found.input_tokens, found.output_tokens, found.cost_usd)) == wasted


async def test_a_cancelled_call_is_wasted_and_no_longer_in_flight() -> None:
    model, contexts = Stalling([SO_FAR]), list[JobContext[Empty]]()

    @job_type("stall")
    async def stall(ctx: JobContext[Empty]) -> Summary:
        contexts.append(ctx)
        return await generate(ctx, Summary, "Summarize.")

    task = asyncio.create_task(try_job(stall, {}, resources={LoreModel: model}))
    await wait_until(lambda: model.waits)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    usage = contexts[0]._run.job.usage
    assert usage is not None
    assert usage.wasted is not None
    assert (usage.wasted.input_tokens, usage.wasted.output_tokens, usage.in_flight) == (100, 9, None)


def test_the_job_type_can_be_called_as_the_handler_it_is() -> None:
    calls: list[object] = []

    @job_type("plain")
    async def plain(ctx: JobContext[Empty]) -> int:
        calls.append(ctx)
        return 3

    context: Any = object()
    assert asyncio.run(_await(plain(context))) == 3
    assert calls == [context]


async def _await(value: Any) -> Any:
    return await value


async def test_an_interrupted_answer_is_an_error_of_the_call() -> None:
    broken = GenerationError("provider_unavailable", "gone", retryable=True)

    trial = await run(ScriptedLoreModel(lambda _: Interrupted({"text": "A"}, broken)))

    assert trial.error is not None
    assert (trial.error.code, trial.error.retryable) == ("provider_unavailable", True)


async def test_a_final_without_fields_is_enough() -> None:
    class Whole(Stalling):
        async def generate(
            self, request: GenerationRequest, *, timeout_seconds: float
        ) -> AsyncGenerator[GenerationEvent, None]:
            yield Final('{"text": "A summary.", "score": 3}')

    assert (await run(Whole([]))).result == GOOD
