"""A language model and a job context for tests of the item flow: they do as they are told."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from loresmith.llm.port import FieldsDone, Final, GenerationEvent, GenerationRequest, ModelCapabilities, Usage

Answer = dict[str, Any] | Exception | None
"""What a call gives: an object, an error, or nothing for ever."""


@dataclass
class ScriptedLore:
    """Implements LoreModel; `answers` decides from the request."""

    answers: Callable[[GenerationRequest], Answer]
    streams: bool = True
    requests: list[GenerationRequest] = field(default_factory=list[GenerationRequest])
    cancelled: int = 0

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.requests.append(request)
        answer = self.answers(request)
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
        if self.streams:
            yield FieldsDone(1, 2, 5)
            yield FieldsDone(2, 2, 10)
        yield Final(json.dumps(answer))
        yield Usage("scripted", 100, 10, None)

    async def capabilities(self) -> ModelCapabilities:
        return ModelCapabilities("scripted", self.streams, 3)


@dataclass
class Notebook:
    """Implements ItemContext and remembers everything."""

    job_id: str = "job"
    items: dict[int, Any] = field(default_factory=dict[int, Any])
    saved: list[int] = field(default_factory=list[int])
    fractions: list[float | None] = field(default_factory=list[float | None])
    marks: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    owner_digest: str = "owner"
    calls: int = 0
    under_way: set[object] = field(default_factory=set[object])
    lost: BaseException | None = None

    async def save_item(self, index: int, value: BaseModel) -> None:
        if self.lost is not None:
            raise self.lost
        self.saved.append(index)
        self.items[index] = value.model_dump(mode="json")

    def report(self, fraction: float | None = None, message: str | None = None) -> None:
        self.fractions.append(fraction)

    def reached(self, part: int, mark: int) -> None:
        self.marks.append((part, mark))

    def add_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None = None,
        wasted: bool = False,
    ) -> None:
        self.calls += 1

    def in_flight(self, call: object, input_tokens: int, output_tokens: int, cost_usd: float | None = None) -> None:
        self.under_way.add(call)
        if not input_tokens and not output_tokens:
            self.under_way.discard(call)

    def remaining_seconds(self) -> float:
        return 60.0
