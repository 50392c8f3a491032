"""The fake provider: a scripted pydantic-ai model for tests and load."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from pydantic_ai.exceptions import ModelHTTPError, ModelUnavailableError
from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent, TextPart
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from loresmith.llm_service.fake_spec import FakeSpec
from loresmith.llm_service.fake_text import Writer


@dataclass(frozen=True, slots=True)
class _Script:
    """One call: its answer in chunks, and how it goes wrong."""

    chunks: list[str]
    usage: RequestUsage
    fails: bool
    stalls: bool


class FakeModel(Model):
    """Answers every request with made-up values that satisfy its schema.

    The same seed and prompt give the same answer. Which calls fail or stall depends on the seed and
    on how many calls came before, so that a retry may succeed.
    """

    def __init__(self, spec: FakeSpec) -> None:
        super().__init__(profile=ModelProfile(supports_json_schema_output=True))
        self.spec = spec
        self._calls = itertools.count()

    @property
    def model_name(self) -> str:
        return "fake"

    @property
    def system(self) -> str:
        return "fake"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        script = self._script(messages, model_settings, model_request_parameters)
        text = "".join([chunk async for chunk in self.play(script)])
        parts = [TextPart(content=text)]
        return ModelResponse(parts=parts, usage=script.usage, model_name=self.model_name)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: Any = None,  # noqa: ARG002 (the base class names it)
    ) -> AsyncGenerator[StreamedResponse]:
        script = self._script(messages, model_settings, model_request_parameters)
        yield FakeStream(model_request_parameters, fake=self, script=script)

    async def play(self, script: _Script) -> AsyncIterator[str]:
        """Yields the chunks on time."""
        clock = asyncio.get_running_loop().time
        start = clock()
        for number, chunk in enumerate(script.chunks, start=1):
            due = start + self.spec.seconds * number / len(script.chunks)
            await asyncio.sleep(max(0.0, due - clock()))
            if number > len(script.chunks) // 2:
                await self._misbehave(script)
            yield chunk

    async def _misbehave(self, script: _Script) -> None:
        if script.stalls:
            await asyncio.Event().wait()
        if script.fails:
            kind = ModelUnavailableError
            raise ModelHTTPError.for_category(kind, status_code=503, model_name="fake")

    def _script(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> _Script:
        _, parameters = self.prepare_request(settings, parameters)
        schema = parameters.output_object.json_schema if parameters.output_object else {}
        asked: Mapping[str, Any] = dict(settings or {})
        told = f"{self.spec.seed}\n{asked.get('seed')}\n" + "\n".join(_told(messages))
        answer = Writer(schema, Random(_digest(told))).value(schema)
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        fate = Random(_digest(f"{self.spec.seed} {next(self._calls)}"))
        return _Script(
            chunks=_pieces(text, self.spec.tokens),
            usage=RequestUsage(input_tokens=len(told) // 4, output_tokens=self.spec.tokens),
            fails=fate.random() < self.spec.error_rate,
            stalls=fate.random() < self.spec.stall_rate,
        )


@dataclass
class FakeStream(StreamedResponse):
    """The answer of the fake, chunk by chunk."""

    fake: FakeModel
    script: _Script
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        async for chunk in self.fake.play(self.script):
            for event in self._parts_manager.handle_text_delta(vendor_part_id=0, content=chunk):
                yield event
        self._usage = self.script.usage
        self.finish_reason = "stop"

    @property
    def model_name(self) -> str:
        return self.fake.model_name

    @property
    def provider_name(self) -> str:
        return "fake"

    @property
    def provider_url(self) -> None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self.started

    async def close_stream(self) -> None:
        """There is no connection to close."""


def _told(messages: list[ModelMessage]) -> list[str]:
    """What the model was told, without the times that pydantic-ai adds."""
    return [str(getattr(part, "content", "")) for each in messages for part in each.parts]


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def _pieces(text: str, count: int) -> list[str]:
    count = min(count, len(text))
    cuts = [len(text) * number // count for number in range(count + 1)]
    return [text[start:end] for start, end in itertools.pairwise(cuts)]
