"""One call of the service: from the first model of the route to the one that answers it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import structlog
from pydantic_ai.models.instrumented import InstrumentationSettings

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationRequest
from loresmith.llm.wire import Queued, WireEvent
from loresmith.llm_service.circuit import ProviderDownError, guarded
from loresmith.llm_service.fields import expected_fields
from loresmith.llm_service.generation import Asked, Generation, Patience
from loresmith.llm_service.limiter import LONGEST_PAUSE_SECONDS
from loresmith.llm_service.progress import Progress
from loresmith.llm_service.route import REST_SECONDS, SHORT_PAUSE_SECONDS, Route, Station, another_may
from loresmith.llm_service.said import provider_said
from loresmith.llm_service.schema import output_schema, resolve
from loresmith.llm_service.spending import Spending
from loresmith.llm_service.waiting import Waiting
from loresmith.telemetry.instruments import ModelMetrics

QUEUED_REMINDER_SECONDS: Final = 10.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Call:
    """One request; `events` runs it."""

    def __init__(
        self,
        route: Route,
        request: GenerationRequest,
        *,
        reminder_seconds: float = QUEUED_REMINDER_SECONDS,
        metrics: ModelMetrics | None = None,
        instrument: InstrumentationSettings | bool = False,
    ) -> None:
        """Raises ValueError if the request's schema is not the schema of an object."""
        schema = output_schema(request.output_schema)
        self._route = route
        self._reminder_seconds = reminder_seconds
        progress = Progress(expected_fields(schema.document), _names(schema.document))
        spending = Spending(route.first.provider.label, metrics)
        self._asked = Asked(request, schema, progress, spending, instrument)

    async def events(self) -> AsyncGenerator[WireEvent, None]:
        """Streams what the models do, then Final and Usage.

        Raises GenerationError, after a Usage if a model had read or written something.
        """
        try:
            async with aclosing(self._along_the_route()) as events:
                async for event in events:
                    yield event
        except GenerationError as error:
            error.began = error.began or bool(self._asked.spending) or self._asked.progress.shown
            if self._asked.spending:
                yield self._asked.spending.usage()
            raise
        yield self._asked.spending.usage()

    async def _along_the_route(self) -> AsyncGenerator[WireEvent, None]:
        """Asks one model after the other, until one has finished a field or answered."""
        order = self._route.order()
        failures: list[GenerationError] = []
        for left, station in zip(reversed(range(len(order))), order, strict=True):
            try:
                async with aclosing(self._at(station, alone=not left)) as events:
                    async for event in events:
                        yield event
            except GenerationError as error:
                failures.append(error)
                if self._asked.progress.shown or not another_may(error):
                    raise
                if left:
                    self._move_on(station, error)
            else:
                return
        raise next((error for error in failures if error.retryable), failures[-1])

    async def _at(self, station: Station, *, alone: bool) -> AsyncGenerator[WireEvent, None]:
        station.circuit.check()
        leaves = not alone and not self._route.rests(station)
        """Whether another model is asked when this one fails for others while the call waits for a slot."""
        slot = station.slots.acquire(reminder_seconds=self._reminder_seconds)
        async with aclosing(slot) as reminders:
            async for _ in reminders:
                if leaves and self._route.rests(station):
                    raise ProviderDownError(station.provider.label, REST_SECONDS)
                yield Queued()
        try:
            if leaves and self._route.rests(station):
                raise ProviderDownError(station.provider.label, REST_SECONDS)
            if station.provider.present is not None:
                present = Waiting(_until(station), reminder_seconds=self._reminder_seconds)
                async with aclosing(present.reminders()) as reminders:
                    async for _ in reminders:
                        yield Queued()
            generation = Generation(self._asked, station.provider, station.gate, self._patience(alone=alone))
            guard = guarded(station.circuit, generation.events(), reminder_seconds=self._reminder_seconds)
            async with aclosing(guard) as events:
                async for event in events:
                    yield event
        finally:
            station.slots.release()

    def _patience(self, *, alone: bool) -> Patience:
        if alone:
            return Patience(self._reminder_seconds, LONGEST_PAUSE_SECONDS)
        return Patience(self._reminder_seconds, SHORT_PAUSE_SECONDS, self._route.first_token_seconds)

    def _move_on(self, station: Station, error: GenerationError) -> None:
        if isinstance(error, ProviderDownError):
            return  # another call has found out, and said so
        self._route.rest(station)
        request = self._asked.request
        said = provider_said(error, request, self._route.secrets())
        facts = {"job_id": request.job_id, "model": station.provider.label, "code": error.code, **said}
        _log.warning("another model takes over", reason=error.message, **facts)


def _names(document: dict[str, Any]) -> frozenset[str]:
    """The properties that an object may have; empty if it may have any."""
    root = resolve(document, document)
    closed = root.get("additionalProperties") is False and "patternProperties" not in root
    return frozenset(root.get("properties", ())) if closed else frozenset()


async def _until(station: Station) -> None:
    """Returns once the model is there: one that is being started again is waited for, as for a slot."""
    assert station.provider.present is not None
    await station.provider.present()
