"""LoreService: the calls that the lore service answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
import grpc.aio
import structlog

from loresmith.llm.errors import GenerationError
from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm.port import GenerationRequest, Usage
from loresmith.llm.status import DETAILS_KEY, STATUS_OF, details_of
from loresmith.llm.wire import WireEvent, event_to_wire, request_from_wire
from loresmith.llm_service.access import Access
from loresmith.llm_service.call import QUEUED_REMINDER_SECONDS, Call
from loresmith.llm_service.hygiene import cleaned
from loresmith.llm_service.route import Route

Context = grpc.aio.ServicerContext[Any, Any]


class LoreService(lore_pb2_grpc.LoreServiceServicer):
    """Generates along a route of models, for those who have access."""

    def __init__(
        self, route: Route, access: Access, *, queued_reminder_seconds: float = QUEUED_REMINDER_SECONDS
    ) -> None:
        self._route = route
        self._access = access
        self._reminder_seconds = queued_reminder_seconds

    async def Generate(  # noqa: N802 (named by the protocol)
        self, request: lore_pb2.GenerateRequest, context: Context
    ) -> AsyncIterator[lore_pb2.GenerationEvent]:
        await self._check_token(context)
        try:
            asked = cleaned(request_from_wire(request))
            call = Call(self._route, asked, reminder_seconds=self._reminder_seconds)
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        log = _Log(asked, self._route.first.provider.label)
        try:
            async with aclosing(call.events()) as events:
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
        context: Context,
    ) -> lore_pb2.DescribeResponse:
        await self._check_token(context)
        first, *others = self._route.stations
        return lore_pb2.DescribeResponse(
            model=first.provider.label,
            streams_fields=first.provider.streams,
            concurrent_calls=first.slots.count,
            fallbacks=[station.provider.label for station in others],
        )

    async def _check_token(self, context: Context) -> None:
        if not self._access.admits(dict(context.invocation_metadata() or ())):
            message = "the token of the lore service is missing or wrong"
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, message)


async def _abort(context: Context, error: GenerationError) -> NoReturn:
    details = ((DETAILS_KEY, details_of(error)),)
    await context.abort(STATUS_OF[error.code], error.message, trailing_metadata=details)


class _Log:
    """One line per generation, with its job and never with its prompt."""

    def __init__(self, request: GenerationRequest, model: str) -> None:
        self._start = time.monotonic()
        self._usage: Usage | None = None
        logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
        self._log = logger.bind(job_id=request.job_id, purpose=request.purpose)
        self._model = model

    def note(self, event: WireEvent) -> None:
        if isinstance(event, Usage):
            self._usage = event
            self._model = event.model

    def finished(self) -> None:
        self._log.info("generation finished", **self._facts())

    def failed(self, error: GenerationError) -> None:
        facts = {**self._facts(), "code": error.code, "retryable": error.retryable}
        self._log.warning("generation failed", reason=error.message, **facts)

    def broke(self) -> None:
        self._log.exception("generation broke", **self._facts())

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {"model": self._model, "seconds": round(time.monotonic() - self._start, 3)}
        if self._usage is not None:
            facts["input_tokens"] = self._usage.input_tokens
            facts["output_tokens"] = self._usage.output_tokens
            facts["cost_usd"] = self._usage.cost_usd
        return facts
