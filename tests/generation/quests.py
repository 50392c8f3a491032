"""A small job type and its answers, for tests of generation."""

from typing import Any

from pydantic import BaseModel, Field

from loresmith import JobContext, generate_items, job_type, quote
from loresmith.bootstrap import classify
from loresmith.jobs.testing import Trial, try_job
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel


class QuestRequest(BaseModel):
    theme: str = "fantasy"
    count: int = 3


class Quest(BaseModel):
    """A docstring for people who read the code."""

    title: str = Field(min_length=3, max_length=60)
    stages: list[str] = Field(min_length=2, max_length=4, description="Each an instruction")


@job_type("write_quests")
async def write_quests(ctx: JobContext[QuestRequest]) -> list[Quest]:
    """Write quests."""
    prompt = f"Write a quest. Theme: {quote(ctx.payload.theme)}."
    return await generate_items(ctx, Quest, prompt, count=ctx.payload.count, distinct_by="title")


TITLES = ("Amber Crown", "Bone Flute", "Copper Eye", "Dawn Bell")


def quest(title: str = "Amber Crown", **other: Any) -> dict[str, Any]:
    return {"title": title, "stages": ["Go there.", "Come back."], **other}


def is_plan(request: GenerationRequest) -> bool:
    return "concepts" in request.output_schema["properties"]


def write_plan(request: GenerationRequest) -> dict[str, Any]:
    count = request.output_schema["properties"]["concepts"]["minItems"]
    return {"concepts": [{"name": title, "idea": f"About {title}."} for title in TITLES[:count]]}


def find_number(request: GenerationRequest) -> int:
    """The number of the item that a request asks for."""
    return int(request.prompt.partition("Write number ")[2].partition(" ")[0] or 1)


def obey(request: GenerationRequest) -> dict[str, Any]:
    """Answer as a good model does: the plan, then each quest under its name."""
    return write_plan(request) if is_plan(request) else quest(TITLES[find_number(request) - 1])


async def run(model: ScriptedLoreModel, count: int = 3, **options: Any) -> Trial:
    return await try_job(write_quests, {"count": count}, resources={LoreModel: model}, classify=classify, **options)
