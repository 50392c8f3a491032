"""The worked example of docs/adding-a-job-type.md runs as it stands there."""

import asyncio
from pathlib import Path
from typing import Any

from examples.generate_quests import generate_quests
from loresmith.bootstrap import classify
from loresmith.jobs import JobManager, JobRegistry, Worker
from loresmith.jobs.connection import Connections
from loresmith.jobs.testing import try_job
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm_service.budgets import Budget, Budgets
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PAYLOAD = {"theme": "fantasy", "difficulty": "hard", "count": 2}


def script(request: GenerationRequest) -> dict[str, Any]:
    assert "hard" in request.prompt
    if "concepts" in request.output_schema["properties"]:
        return {"concepts": [{"name": f"Quest {number}", "idea": "Bring it home."} for number in (1, 2)]}
    return {"title": request.purpose.title(), "goal": "Bring the crown home.", "stages": ["Seek it.", "Take it."]}


def test_the_page_shows_the_example_as_it_is() -> None:
    page = (ROOT / "docs" / "adding-a-job-type.md").read_text(encoding="utf-8")
    example = (ROOT / "examples" / "generate_quests.py").read_text(encoding="utf-8")

    assert f"```python\n{example}```" in page
    assert len(example.splitlines()) <= 35


async def test_the_example_writes_its_quests() -> None:
    trial = await try_job(generate_quests, PAYLOAD, resources={LoreModel: ScriptedLoreModel(script)})

    assert [quest["title"] for quest in trial.result] == ["Quest 1", "Quest 2"]
    assert trial.progress[-1] == 90
    assert trial.messages[-1] == "Finalizing quests..."


async def test_the_example_writes_no_quest_again() -> None:
    model = ScriptedLoreModel(script)
    done = {0: {"title": "The Crown", "goal": "Bring the crown home.", "stages": ["Seek it.", "Take it."]}}
    plan = {"plan": script(GenerationRequest("", "hard", {"properties": {"concepts": {}}}))}

    trial = await try_job(generate_quests, PAYLOAD, resources={LoreModel: model}, items=done, steps=plan, attempt=2)

    assert [quest["title"] for quest in trial.result] == ["The Crown", "Quest 2"]
    assert len(model.requests) == 1


async def test_the_example_runs_on_a_worker(redis_url: str) -> None:
    connections, registry = Connections(redis_url), JobRegistry().add(generate_quests)
    async with connections.client() as redis:
        manager = JobManager(redis=redis, registry=registry)
        worker = Worker(
            connections=connections,
            registry=registry,
            resources={LoreModel: ScriptedLoreModel(script)},
            grace_seconds=0,
        )
        task = asyncio.create_task(worker.run())
        job = await manager.create("generate_quests", {"theme": "fantasy", "difficulty": "hard", "count": 1})

        async def completed() -> bool:
            return (await manager.get(job.id)).status == "completed"

        await wait_until(completed)
        worker.stop()
        await task


async def test_a_budget_for_the_owners_day_stops_the_example() -> None:
    budgets = Budgets(owner_day=Budget(tokens=2_000))
    lore = LoreServer(Route([find_provider("fake?seconds=0&tokens=300")], budgets=budgets))
    model = GrpcLoreModel(f"127.0.0.1:{await lore.start('127.0.0.1:0')}")
    try:
        trials = [
            await try_job(generate_quests, PAYLOAD, resources={LoreModel: model}, classify=classify) for _ in range(4)
        ]
    finally:
        await model.close()
        await lore.stop()

    assert trials[0].error is None
    assert trials[-1].error is not None
    assert trials[-1].error.code == "budget_exceeded"


def test_the_example_says_what_it_does_in_its_docstring() -> None:
    assert generate_quests.description == "Quests of one difficulty for a theme"
