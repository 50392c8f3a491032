"""The job type `generate_quests`: all that a new job type needs, in one file."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from loresmith import JobContext, generate_items, job_type, quote


class QuestRequest(BaseModel):
    """The payload. Every field has a bound; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    theme: str = Field(min_length=1, max_length=60)
    difficulty: Literal["easy", "normal", "hard"] = "normal"
    count: int = Field(default=3, ge=1, le=5)


class Quest(BaseModel):
    """One item of the result. The field descriptions are the instruction to the model."""

    title: str = Field(max_length=80)
    goal: str = Field(max_length=400, description="The aim of the players and why it matters")
    stages: list[str] = Field(min_length=2, max_length=4, description="Each an instruction to the players")


@job_type("generate_quests")
async def generate_quests(ctx: JobContext[QuestRequest]) -> list[Quest]:
    """Quests of one difficulty for a theme"""
    prompt = f"Write a {ctx.payload.difficulty} quest for a game. Theme: {quote(ctx.payload.theme)}."
    return await generate_items(ctx, Quest, prompt, count=ctx.payload.count, distinct_by="title")
