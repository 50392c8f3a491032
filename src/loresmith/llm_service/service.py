"""LoreService: the calls that the lore service answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, NoReturn

import grpc
import grpc.aio
import structlog

from loresmith.llm.errors import GenerationError
from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm.port import GenerationRequest, Usage
from loresmith.llm.status import DETAILS_KEY, STATUS_OF, details_of
from loresmith.llm.wire import Queued, WireEvent, event_to_wire, request_from_wire
from loresmith.llm_service.generation import Generation
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.slots import Slots

Context = grpc.aio.ServicerContext[Any, Any]

QUEUED_REMINDER_SECONDS: Final = 10.0


class LoreService(lore_pb2_grpc.LoreServiceServicer):
    """Generates through one provider, no more calls at once than it has slots."""

    def __init__(self, provider: Provider, *, queued_reminder_seconds: float = QUEUED_REMINDER_SECONDS) -> None:
        self._provider = provider
        self._slots = Slots(provider.concurrent_calls)
        self._queued_reminder_seconds = queued_reminder_seconds

    async def Generate(  # noqa: N802 (named by the protocol)
        self, request: lore_pb2.GenerateRequest, context: Context
    ) -> AsyncIterator[lore_pb2.GenerationEvent]:
        try:
            asked = request_from_wire(request)
            generation = Generation(self._provider, asked)
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        log = _Log(asked, self._provider.label)
        try:
            async with aclosing(self._in_a_slot(generation)) as events:
                async for event in events:
                    log.note(event)
                    yield event_to_wire(event)
        except GenerationError as error:
            log.failed(error)
            await _abort(context, error)
        except Exception:
            log.broke()
            await context.abort(grpc.StatusCode.INTERNAL, "the lore service has a bug; see its log")
        log.finished()

    async def Describe(  # noqa: N802 (named by the protocol)
        self,
        request: lore_pb2.DescribeRequest,  # noqa: ARG002 (has no fields yet)
        context: Context,  # noqa: ARG002 (named by the protocol)
    ) -> lore_pb2.DescribeResponse:
        return lore_pb2.DescribeResponse(
            model=self._provider.label,
            streams_fields=self._provider.streams,
            concurrent_calls=self._slots.count,
        )

    async def _in_a_slot(self, generation: Generation) -> AsyncGenerator[WireEvent, None]:
        waiting = self._slots.acquire(reminder_seconds=self._queued_reminder_seconds)
        async with aclosing(waiting) as reminders:
            async for _ in reminders:
                yield Queued()
        try:
            async with aclosing(self._until_present()) as reminders:
                async for _ in reminders:
                    yield Queued()
            async with aclosing(generation.events()) as events:
                async for event in events:
                    yield event
        finally:
            self._slots.release()

    async def _until_present(self) -> AsyncGenerator[None, None]:
        """Wait for a model that is being started again, as for a slot: asking it now would only cost an attempt."""
        if self._provider.present is None:
            return
        waiting = asyncio.ensure_future(self._provider.present())
        try:
            while not (await asyncio.wait({waiting}, timeout=self._queued_reminder_seconds))[0]:
                yield
        finally:
            waiting.cancel()


async def _abort(context: Context, error: GenerationError) -> NoReturn:
    details = ((DETAILS_KEY, details_of(error)),)
    await context.abort(STATUS_OF[error.code], error.message, trailing_metadata=details)


class _Log:
    """One line per generation, with its job and never with its prompt."""

    def __init__(self, request: GenerationRequest, model: str) -> None:
        self._start = time.monotonic()
        self._usage: Usage | None = None
        logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
        self._log = logger.bind(job_id=request.job_id, purpose=request.purpose, model=model)

    def note(self, event: WireEvent) -> None:
        if isinstance(event, Usage):
            self._usage = event

    def finished(self) -> None:
        self._log.info("generation finished", **self._facts())

    def failed(self, error: GenerationError) -> None:
        facts = {**self._facts(), "code": error.code, "retryable": error.retryable}
        self._log.warning("generation failed", reason=error.message, **facts)

    def broke(self) -> None:
        self._log.exception("generation broke", **self._facts())

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {"seconds": round(time.monotonic() - self._start, 3)}
        if self._usage is not None:
            facts["input_tokens"] = self._usage.input_tokens
            facts["output_tokens"] = self._usage.output_tokens
            facts["cost_usd"] = self._usage.cost_usd
        return facts
