"""The job type `generate_quests`: all that a new job type needs, in one file."""

from contextlib import aclosing
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from loresmith.jobs import JobContext, job_type
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, LoreModel, Usage
from loresmith.lore import Theme, describe_theme


class GenerateQuests(BaseModel):
    """What the job takes. Every field has a bound; what is unknown is refused."""

    model_config = ConfigDict(extra="forbid")

    theme: Theme
    difficulty: Literal["easy", "normal", "hard"] = "normal"
    count: int = Field(default=3, ge=1, le=5)


class Quest(BaseModel):
    """What the model writes, one call each."""

    title: str = Field(min_length=3, max_length=60)
    goal: str = Field(min_length=10, max_length=200)
    stages: list[str] = Field(min_length=2, max_length=4)


@job_type("generate_quests", description="Quests of a theme and a difficulty", expected_seconds=30, item=Quest)
async def generate_quests(ctx: JobContext[GenerateQuests]) -> list[Quest]:
    """Write `count` quests; each is saved as soon as it is there, and never written twice."""
    count = ctx.payload.count
    for index in range(count):
        if index not in ctx.items:
            await ctx.save_item(index, await _write(ctx, index))
    ctx.finalizing("Finalizing quests...")
    return [Quest.model_validate(ctx.items[index]) for index in range(count)]


async def _write(ctx: JobContext[GenerateQuests], index: int) -> Quest:
    request = GenerationRequest(
        instructions="You write quests for a game, in plain English. You answer with one JSON object.",
        prompt=f"Theme: {describe_theme(ctx.payload.theme)}. Difficulty: {ctx.payload.difficulty}. Quest {index + 1}:",
        output_schema=Quest.model_json_schema(),
        job_id=ctx.job_id,
        purpose=f"quest {index + 1}",
    )
    answer = ""
    calls = ctx.resource(LoreModel).generate(request, timeout_seconds=ctx.remaining_seconds())
    async with aclosing(calls) as events:
        async for event in events:
            match event:
                case FieldsDone(fields_done=done, fields_total=total):
                    ctx.report((index + done / max(1, total)) / ctx.payload.count, "Generating quests...")
                case Usage(model=model, input_tokens=read, output_tokens=written, cost_usd=cost):
                    ctx.add_usage(model=model, input_tokens=read, output_tokens=written, cost_usd=cost)
                case Final(json=text):
                    answer = text
                case _:
                    pass
    return Quest.model_validate_json(answer)
