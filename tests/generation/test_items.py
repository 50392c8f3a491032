"""Several items: planned by one call, written side by side, distinct, checkpointed, never paid twice."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from loresmith import JobContext, generate_items, job_type
from loresmith.jobs.testing import try_job
from loresmith.llm.errors import GenerationError
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationEvent, GenerationRequest, LoreModel
from tests.generation.quests import TITLES, Quest, QuestRequest, find_number, is_plan, obey, quest, run, write_plan


async def test_a_plan_comes_first_and_each_item_knows_the_others() -> None:
    model = ScriptedLoreModel(obey)

    trial = await run(model)

    assert trial.error is None
    assert [each["title"] for each in trial.result] == list(TITLES[:3])
    plan, *items = model.requests
    assert is_plan(plan)
    assert len(items) == 3
    for number, item in enumerate(items, start=1):
        assert all(f'"{title}": "About {title}."' in item.prompt for title in TITLES[:3])
        assert find_number(item) == number
        assert set(item.output_schema["properties"]) == {"title", "stages"}


async def test_one_item_needs_no_plan() -> None:
    model = ScriptedLoreModel(obey)

    trial = await run(model, count=1)

    assert [each["title"] for each in trial.result] == ["Amber Crown"]
    assert len(model.requests) == 1


async def test_a_retry_keeps_the_plan_and_the_finished_items() -> None:
    gone = GenerationError("provider_unavailable", "gone", retryable=True)
    model = ScriptedLoreModel(lambda asked: gone if find_number(asked) == 2 and not is_plan(asked) else obey(asked))
    first = await run(model)
    assert first.error is not None
    again = ScriptedLoreModel(obey)

    trial = await run(again, items={0: first.items[0]}, steps=first.steps, attempt=2)

    assert [find_number(each) for each in again.requests] == [2, 3]
    assert [each["title"] for each in trial.result] == list(TITLES[:3])


async def test_a_job_whose_items_are_finished_asks_for_nothing() -> None:
    model = ScriptedLoreModel(obey)

    trial = await run(model, items={index: quest(title) for index, title in enumerate(TITLES[:3])})

    assert model.requests == []
    assert trial.progress[-1] == 90


async def test_a_title_that_is_taken_is_repaired_once() -> None:
    def copy(asked: GenerationRequest) -> dict[str, Any]:
        if not is_plan(asked) and find_number(asked) == 2 and "It is not valid" not in asked.prompt:
            return quest("amber  CROWN")
        return obey(asked)

    model = ScriptedLoreModel(copy)
    trial = await run(model)

    assert [each["title"] for each in trial.result] == list(TITLES[:3])
    (repair,) = [each for each in model.requests if "It is not valid" in each.prompt]
    assert "title: 'amber  CROWN' is taken" in repair.prompt


async def test_the_same_title_twice_fails_the_job_and_names_the_field() -> None:
    model = ScriptedLoreModel(lambda asked: write_plan(asked) if is_plan(asked) else quest())

    trial = await run(model, count=2)

    assert trial.error is not None
    assert trial.error.code == "output_invalid"
    assert "title" in trial.error.message
    assert len(model.requests) == 1 + 1 + 2


async def test_a_plan_with_the_same_name_twice_is_repaired_once() -> None:
    def write(asked: GenerationRequest) -> dict[str, Any]:
        if is_plan(asked) and "It is not valid" not in asked.prompt:
            return {"concepts": [{"name": "Same", "idea": "One."}] * 3}
        return obey(asked)

    model = ScriptedLoreModel(write)
    trial = await run(model)

    assert trial.error is None
    assert len(model.requests) == 5


async def test_a_failed_item_cancels_the_others_and_finished_ones_stay() -> None:
    refused = GenerationError("content_refused", "no")
    model = ScriptedLoreModel(lambda asked: refused if find_number(asked) == 3 else obey(asked))

    trial = await run(model)

    assert trial.error is not None
    assert trial.error.code == "content_refused"
    assert set(trial.items) <= {0, 1}


async def test_the_others_are_finished_when_an_item_is_worth_another_attempt() -> None:
    away = GenerationError("provider_unavailable", "no", began=False)
    model = ScriptedLoreModel(lambda asked: away if find_number(asked) == 3 else obey(asked))

    trial = await run(model)

    assert trial.error is not None
    assert trial.error.code == "provider_unavailable"
    assert set(trial.items) == {0, 1}


async def test_a_lost_lease_is_raised_as_it_is() -> None:
    class Lost(BaseException):
        pass

    lost = Lost()
    model = ScriptedLoreModel(lambda asked: lost if not is_plan(asked) else obey(asked))

    with pytest.raises(Lost) as caught:
        await run(model)
    assert caught.value is lost


async def test_progress_rises_to_79_while_items_are_written_then_to_90() -> None:
    trial = await run(ScriptedLoreModel(obey))

    assert trial.progress == sorted(trial.progress)
    assert (trial.progress[0], trial.progress[-2:]) == (20, [79, 90])
    assert trial.messages == ["Generating quests...", "Finalizing quests..."]


async def test_a_model_that_does_not_stream_leaves_progress_to_the_clock() -> None:
    trial = await run(ScriptedLoreModel(obey, streams=False))

    assert trial.progress == [20, 90]


async def test_items_are_written_side_by_side() -> None:
    open_calls = 0
    all_open = asyncio.Event()

    class Slow(ScriptedLoreModel):
        async def generate(
            self, request: GenerationRequest, *, timeout_seconds: float
        ) -> AsyncGenerator[GenerationEvent, None]:
            nonlocal open_calls
            if not is_plan(request):
                open_calls += 1
                if open_calls == 3:
                    all_open.set()
                await asyncio.wait_for(all_open.wait(), 5)
            async for event in super().generate(request, timeout_seconds=timeout_seconds):
                yield event

    assert (await run(Slow(obey))).error is None


@pytest.mark.parametrize(("count", "distinct_by"), [(0, "title"), (2, "name")])
async def test_wrong_arguments_are_named(count: int, distinct_by: str) -> None:
    @job_type("wrong")
    async def wrong(ctx: JobContext[QuestRequest]) -> list[Quest]:
        return await generate_items(ctx, Quest, "Write.", count=count, distinct_by=distinct_by)

    with pytest.raises(ValueError, match=r"expected"):
        await try_job(wrong, {}, resources={LoreModel: ScriptedLoreModel(obey)})


async def test_a_rejected_item_leaves_no_text_of_the_model_in_the_log() -> None:
    with structlog.testing.capture_logs() as logs:
        await run(ScriptedLoreModel(lambda _: quest("x")), count=1)

    assert [each["event"] for each in logs] == ["output_rejected"] * 2
    assert logs[0]["fields"] == ["title"]
    assert "'x'" not in str(logs)


async def test_items_have_the_type_of_the_handler() -> None:
    seen: list[BaseModel] = []

    @job_type("typed")
    async def typed(ctx: JobContext[QuestRequest]) -> list[Quest]:
        result = await generate_items(ctx, Quest, "Write.", count=1, distinct_by="title")
        seen.extend(ctx.items.values())
        return result

    await try_job(typed, {}, resources={LoreModel: ScriptedLoreModel(obey)})

    assert seen == [Quest(**quest())]
