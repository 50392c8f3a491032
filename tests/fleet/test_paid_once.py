"""Workers that die between items and steps: the provider's own count says what was asked for twice."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings

from loresmith.bootstrap import build_manager, build_registry, connect
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.jobs import Job, Status
from loresmith.llm_service.fake import FakeModel
from loresmith.llm_service.fake_spec import FakeSpec
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from tests.loaded import Child, Loaded
from tests.waiting import wait_until

Call = tuple[str, int | None, str]
"""The name of the schema, the seed, and all that was told: the same for the same part and attempt of a job."""


class CountingModel(FakeModel):
    """Notes each call; one that `held` chooses is never answered."""

    def __init__(self) -> None:
        super().__init__(FakeSpec.parse("fake?seconds=0.01&tokens=20&seed=3"))
        self.calls: list[Call] = []
        self.holding: list[Call] = []
        self.held: Held = no_call
        self.breaks_off = False
        """Whether a story is written half, and then no further."""
        self.broken_off: list[Call] = []

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,
    ) -> AsyncGenerator[StreamedResponse]:
        output = model_request_parameters.output_object
        told = "\n".join(str(getattr(part, "content", "")) for each in messages for part in each.parts)
        asked: Mapping[str, Any] = dict(model_settings or {})
        call = (output.name if output and output.name else "", asked.get("seed"), told)
        self.calls.append(call)
        if self.held(call):
            self.holding.append(call)
            await asyncio.Event().wait()
        if self.breaks_off and call[0] == "story":
            self.broken_off.append(call)
        async with super().request_stream(messages, model_settings, model_request_parameters) as stream:
            yield stream

    async def play(self, script: Any) -> AsyncIterator[str]:
        half = bool(self.broken_off) and len("".join(script.chunks)) > STORY_CHARACTERS
        for number, chunk in enumerate(script.chunks):
            if half and number > len(script.chunks) * 3 // 4:
                await asyncio.Event().wait()
            yield chunk


Held = Callable[[Call], bool]
STORY_CHARACTERS = 1_000
"""Only a story is longer."""


def no_call(call: Call) -> bool:
    return False


@dataclass
class Stage:
    """One worker process that can be killed, a lore service whose provider counts, a database."""

    redis_url: str
    lore: str
    loaded: Loaded
    folder: Path
    model: CountingModel
    stack: AsyncExitStack
    paid: set[Call] = field(default_factory=set[Call])
    """Calls whose part is finished."""
    paid_twice: list[Call] = field(default_factory=list[Call])
    workers: list[Child] = field(default_factory=list[Child])

    async def __aenter__(self) -> Self:
        self.redis: Any = await self.stack.enter_async_context(connect(self.redis_url))
        self.manager = build_manager(self.redis, build_registry())
        self.stack.push_async_callback(self.manager.close)
        self.stack.push_async_callback(self.kill)
        await self.worker()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    async def worker(self) -> None:
        words = ("-m", "tests.fleet.lore_worker", self.redis_url, self.lore, str(self.folder))
        child = await self.loaded.run(*words)
        self.workers.append(child)
        assert await child.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        for child in self.workers:
            if child.returncode is None:
                child.kill()
                await child.communicate()

    async def kill_while_held(self, following: Held = no_call) -> None:
        """Kill the worker once the provider holds a call back; start another, for which `following` are held back.

        The held call is the first of its part, so every other call belongs to a part that is finished.
        """
        await wait_until(lambda: self.model.holding, seconds=30)
        await self.kill()
        self.note()
        self.model.held = following
        await self.worker()

    def note(self) -> None:
        """Go over the calls of the worker that was the last."""
        answered = [call for call in self.model.calls if call not in (*self.model.holding, *self.model.broken_off)]
        self.paid_twice += [call for call in answered if call in self.paid]
        self.paid.update(answered)
        self.model.calls.clear()
        self.model.holding.clear()
        self.model.broken_off.clear()

    async def kill_while_broken_off(self) -> None:
        """Kill the worker while the provider writes no further; start another, for which it does."""
        await self.kill()
        self.note()
        self.model.breaks_off = False
        await self.worker()

    async def paragraphs(self, job_id: str) -> list[str]:
        """Return the paragraphs that are saved, in order."""
        items = await self.redis.hgetall(f"{{job:{job_id}}}:items")
        values = [msgspec.json.decode(items[key]) for key in sorted((k for k in items if k.isdigit()), key=int)]
        return [value["text"] for value in values if value["type"] == "paragraph"]

    async def finished_items(self, job_id: str, count: int) -> None:
        async def there() -> bool:
            return len(await self.redis.hkeys(f"{{job:{job_id}}}:items")) >= count

        await wait_until(there)

    async def ended(self, job_id: str) -> Job:
        async def done() -> Job | None:
            job = await self.manager.get(job_id)
            return job if job.done else None

        job = await wait_until(done, seconds=30)
        assert job
        assert self.model.calls
        self.note()
        return job


@pytest.fixture
async def stage(redis_url: str, short_tmp: Path, loaded: Loaded) -> AsyncIterator[Stage]:
    await migrate(locate(None, data_dir=short_tmp))
    model = CountingModel()
    server = LoreServer(Route([Provider("fake", "fake", lambda: model, True, 3, ModelSettings())]))
    port = await server.start("127.0.0.1:0")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        async with Stage(redis_url, f"127.0.0.1:{port}", loaded, short_tmp, model, AsyncExitStack()) as stage:
            yield stage


async def test_no_finished_item_is_asked_for_again(stage: Stage) -> None:
    stage.model.held = lambda call: stage.model.calls.index(call) == 1
    job = await stage.manager.create("generate_relics", {"theme": "steampunk", "count": 3})
    await stage.finished_items(job.id, 1 + 2)  # the plan and what is not held
    await stage.kill_while_held()

    ended = await stage.ended(job.id)
    assert (ended.status, ended.rescues) == (Status.COMPLETED, 1), ended.error
    assert stage.paid_twice == []


async def test_nothing_finished_of_a_world_is_asked_for_again(stage: Stage, short_tmp: Path) -> None:
    model = stage.model
    model.held = lambda call: call[0] == "relic"
    job = await stage.manager.create("create_world", {"user_id": 7, "theme": "fantasy"})
    await stage.finished_items(job.id, 1 + 4)
    await stage.kill_while_held()  # one piece is open, the plan and the others are finished
    model.breaks_off = True
    await stage.finished_items(job.id, 1 + 5 + 2)
    saved = await stage.paragraphs(job.id)
    await stage.kill_while_broken_off()  # the story is half written
    ended = await stage.ended(job.id)

    assert (ended.status, ended.rescues) == (Status.COMPLETED, 2), ended.error
    assert stage.paid_twice == []
    result = msgspec.json.decode(ended.result)
    assert result["story"].split("\n\n")[: len(saved)] == saved
    last = next(told for name, _, told in stage.paid if name == "story")
    assert all(text in last for text in saved)
    database = Database(locate(None, data_dir=short_tmp))
    page = await Worlds(database).list(owner=None)
    await database.close()
    assert [each.id for each in page.worlds] == [result["world_id"]]
