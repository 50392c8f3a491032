"""How long the scripted provider takes for a call: heavy tails, pauses, and a half of the jobs at half the speed."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from loresmith.llm.port import GenerationEvent, GenerationRequest, ModelCapabilities
from loresmith.llm.wire import Queued
from loresmith.llm_service.call import Call
from loresmith.llm_service.fake import FakeModel
from loresmith.llm_service.fake_spec import FakeSpec
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.schema import resolve

SLOWER_FROM = 0.55
"""The share of the jobs after which the provider turns slower: in the part that is judged, not learned from."""
SLOWER = 2.0
_SPREAD = 0.35
"""Standard deviation of the logarithm of the time that a call takes."""
_PAUSES = 0.08
"""Share of calls that fall silent for a while."""
_TOKENS = 60
_FIELDS_OF_AN_ITEM = 12
_PARAGRAPH = 0.4
"""Length of a paragraph of a story, relative to an item."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The port without gRPC, over the lore service's own scripted provider; one for each job, by its number."""

    seconds: float
    """The median time of a call that writes a whole item; a paragraph of a story takes a part of it."""
    number: int
    jobs: int
    seed: str

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Stream what the provider does; a pause is put between two events."""
        random = Random(f"{self.seed} {request.purpose}")
        seconds = self._seconds(random) * _size(request.output_schema)
        pause = self._pause(random)
        provider = _paced(FakeSpec(seconds=round(seconds, 3), tokens=_TOKENS, seed=self.number))
        seen, at = 0, random.randint(2, 40)
        async with aclosing(Call(Route([provider]), request).events()) as events:
            async for event in events:
                seen += 1
                if seen == at and pause:
                    await asyncio.sleep(pause)
                if not isinstance(event, Queued):
                    yield event

    async def capabilities(self) -> ModelCapabilities:
        """Return that it streams and takes as many calls as there are."""
        return ModelCapabilities("fake", streams=True, concurrent_calls=64)

    def _seconds(self, random: Random) -> float:
        turned = SLOWER if self.number >= SLOWER_FROM * self.jobs else 1.0
        return self.seconds * turned * math.exp(random.gauss(0.0, _SPREAD))

    def _pause(self, random: Random) -> float:
        return random.uniform(4.0, 20.0) if random.random() < _PAUSES else 0.0


def _size(schema: dict[str, Any]) -> float:
    """Return how long an answer to a schema is, relative to an item."""
    paragraphs = schema["properties"].get("paragraphs", {}).get("minItems", 0)
    return min(1.0, (_leaves(schema, schema) + 2) / _FIELDS_OF_AN_ITEM) + _PARAGRAPH * paragraphs


def _leaves(schema: dict[str, Any], root: dict[str, Any]) -> int:
    """Return the number of texts and numbers of the shortest answer to a schema."""
    schema = resolve(schema, root)
    if "properties" in schema:
        return sum(_leaves(each, root) for each in schema["properties"].values())
    return _leaves(schema["items"], root) * schema.get("minItems", 1) if "items" in schema else 1


def _paced(spec: FakeSpec) -> Provider:
    model = FakeModel(spec)
    return replace(find_provider("fake"), current=lambda: model)
