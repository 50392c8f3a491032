"""Each job type from payload to result with the scripted model, which writes what fits a schema."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from loresmith.bootstrap import build_registry
from loresmith.jobs.testing import try_job
from loresmith.llm.port import GenerationEvent, GenerationRequest, LoreModel, ModelCapabilities
from loresmith.llm.wire import Queued
from loresmith.llm_service.call import Call
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.lore import KNOWN_THEMES

PLURALS = ("characters", "factions", "settings", "events", "relics")
SELECTED = {
    "selected_setting": {"name": "Old Mill", "description": "A mill by the river."},
    "selected_event": {"name": "The Flood", "description": "A flood took the bridge."},
}


@dataclass
class Direct:
    """The port without gRPC: the lore service's own generation, in this process."""

    provider: Provider

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        async with aclosing(Call(Route([self.provider]), request).events()) as events:
            async for event in events:
                if not isinstance(event, Queued):
                    yield event

    async def capabilities(self) -> ModelCapabilities:
        return ModelCapabilities("fake", self.provider.streams, 3)


async def run(plural: str, seed: int, **payload: Any) -> Any:
    model = Direct(find_provider(f"fake?seconds=0&seed={seed}"))
    return await try_job(
        build_registry().get(f"generate_{plural}"), {"theme": "fantasy", **payload}, resources={LoreModel: model}
    )


@pytest.mark.parametrize("plural", PLURALS)
@pytest.mark.parametrize("theme", [*KNOWN_THEMES, "pirates"])
async def test_the_scripted_model_writes_items_of_every_kind(plural: str, theme: str) -> None:
    trial = await run(plural, 1, theme=theme)

    assert trial.error is None
    assert [item["type"] for item in trial.result] == [plural.removesuffix("s")] * 3
    assert len({item["name"] for item in trial.result}) == 3
    assert set(trial.items) == {0, 1, 2}
    assert trial.messages == [f"Generating {plural}...", f"Finalizing {plural}..."]


@pytest.mark.parametrize("plural", PLURALS)
async def test_ten_items_are_ten_different_ones(plural: str) -> None:
    for seed in range(3):
        trial = await run(plural, seed, count=10)

        assert trial.error is None
        assert len({item["name"] for item in trial.result}) == 10
        assert len({item["description"] for item in trial.result}) == 10


async def test_what_was_selected_is_named_in_the_result() -> None:
    events = await run("events", 2, selected_setting=SELECTED["selected_setting"])
    relics = await run("relics", 2, **SELECTED)

    assert {item["details"]["setting"] for item in events.result} == {"Old Mill"}
    assert {(item["details"]["setting"], item["details"]["event"]) for item in relics.result} == {
        ("Old Mill", "The Flood")
    }
