"""LoreService: the calls that the lore service answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
import grpc.aio

from loresmith.llm.errors import GenerationError
from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm.status import DETAILS_KEY, STATUS_OF, details_of
from loresmith.llm.wire import event_to_wire, request_from_wire
from loresmith.llm_service.access import Access
from loresmith.llm_service.call import QUEUED_REMINDER_SECONDS, Call
from loresmith.llm_service.hygiene import cleaned
from loresmith.llm_service.route import Route
from loresmith.llm_service.schema import output_schema
from loresmith.llm_service.watching import CallWatch, instrumentation, serving_span
from loresmith.telemetry.process import Telemetry

Context = grpc.aio.ServicerContext[Any, Any]


class LoreService(lore_pb2_grpc.LoreServiceServicer):
    """Generates along a route of models, for those who have access."""

    def __init__(
        self,
        route: Route,
        access: Access,
        *,
        queued_reminder_seconds: float = QUEUED_REMINDER_SECONDS,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._route = route
        self._telemetry = telemetry or Telemetry()
        self._instrument = instrumentation(self._telemetry.tracing)
        self._access = access
        self._reminder_seconds = queued_reminder_seconds

    async def Generate(  # noqa: N802 (named by the protocol)
        self, request: lore_pb2.GenerateRequest, context: Context
    ) -> AsyncIterator[lore_pb2.GenerationEvent]:
        await self._check_token(context)
        try:
            limit = self._route.first.provider.limits.max_output_tokens
            asked = cleaned(request_from_wire(request, max_output_tokens=limit))
            await asyncio.to_thread(output_schema, asked.output_schema)  # kept, so that `Call` finds it
            call = Call(
                self._route,
                asked,
                reminder_seconds=self._reminder_seconds,
                metrics=self._telemetry.metrics.models,
                instrument=self._instrument,
            )
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        metadata = dict(context.invocation_metadata() or ())
        watch = CallWatch(
            asked, metadata, self._route.first.provider.label, self._telemetry, secrets=self._route.secrets()
        )
        try:
            with serving_span(self._telemetry.tracing, metadata):
                async with aclosing(call.events()) as events:
                    async for event in events:
                        watch.note(event)
                        yield event_to_wire(event)
        except GenerationError as error:
            watch.failed(error)
            await _abort(context, error)
        except Exception:
            watch.broke()
            await context.abort(grpc.StatusCode.INTERNAL, "the lore service has a bug; see its log")
        except BaseException:
            watch.left()
            raise
        watch.finished()

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
            guided=first.provider.guided,
        )

    async def _check_token(self, context: Context) -> None:
        if not self._access.admits(dict(context.invocation_metadata() or ())):
            message = "the token of the lore service is missing or wrong"
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, message)


async def _abort(context: Context, error: GenerationError) -> NoReturn:
    details = ((DETAILS_KEY, details_of(error)),)
    await context.abort(STATUS_OF[error.code], error.message, trailing_metadata=details)
