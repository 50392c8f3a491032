"""The worked example of docs/adding-a-job-type.md runs as it stands there."""

import asyncio
from typing import Any

from examples.generate_quests import generate_quests
from loresmith.jobs import JobManager, JobRegistry, Worker
from loresmith.jobs.connection import Connections
from loresmith.jobs.testing import try_job
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from tests.waiting import wait_until


def script(request: GenerationRequest) -> dict[str, Any]:
    assert "hard" in request.prompt
    return {"title": request.purpose.title(), "goal": "Bring the crown home.", "stages": ["Seek it.", "Take it."]}


async def test_the_example_writes_its_quests() -> None:
    payload = {"theme": "fantasy", "difficulty": "hard", "count": 2}
    trial = await try_job(generate_quests, payload, resources={LoreModel: ScriptedLoreModel(script)})
    assert [quest["title"] for quest in trial.result] == ["Quest 1", "Quest 2"]
    assert trial.progress[-1] == 90
    assert trial.messages[-1] == "Finalizing quests..."


async def test_the_example_writes_no_quest_again() -> None:
    model = ScriptedLoreModel(script)
    done = {0: {"title": "The Crown", "goal": "Bring the crown home.", "stages": ["Seek it.", "Take it."]}}
    payload = {"theme": "fantasy", "difficulty": "hard", "count": 2}
    trial = await try_job(generate_quests, payload, resources={LoreModel: model}, items=done, attempt=2)
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
