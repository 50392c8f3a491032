"""What the service tells of its calls: to logs, to metrics, and to traces."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import structlog
from pydantic_ai.models.instrumented import InstrumentationSettings

from loresmith.llm.calling import GENERATE, JOB_ATTEMPT, JOB_TYPE, REQUEST_ID, RPC
from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationRequest, Usage
from loresmith.llm.wire import WireEvent
from loresmith.llm_service.circuit import ProviderDownError
from loresmith.llm_service.said import provider_said
from loresmith.telemetry.process import Telemetry
from loresmith.telemetry.subject import set_subject
from loresmith.telemetry.tracing import TRACEPARENT, Span, Tracing

Metadata = Mapping[str, str | bytes]
_TOLD: Final = {"request_id": REQUEST_ID, "type": JOB_TYPE, "attempt": JOB_ATTEMPT}
_LONGEST: Final = 128


def instrumentation(tracing: Tracing | None) -> InstrumentationSettings | bool:
    """Return how pydantic-ai makes spans of requests to models: without what is read and written; False: not at all."""
    if tracing is None:
        return False
    return InstrumentationSettings(
        tracer_provider=tracing.provider, include_content=False, include_model_request_parameters=False
    )


def serving_span(tracing: Tracing | None, metadata: Metadata) -> AbstractContextManager[Span | None]:
    """Return the span of a call, as part of the trace of who makes it."""
    if tracing is None:
        return nullcontext()
    return tracing.span(GENERATE, "server", RPC, parent=_text(metadata, TRACEPARENT))


class CallWatch:
    """One call: a line at its end with its job and never with its prompt, and its figures."""

    def __init__(
        self,
        request: GenerationRequest,
        metadata: Metadata,
        model: str,
        telemetry: Telemetry,
        *,
        secrets: Sequence[str] = (),
    ) -> None:
        self._request = request
        self._secrets = secrets
        self._start = time.monotonic()
        self._usage: Usage | None = None
        self._model = model
        self._metrics = telemetry.metrics.models
        logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
        self._log = logger.bind(job_id=request.job_id, purpose=request.purpose)
        told = {name: text for name, key in _TOLD.items() if (text := _text(metadata, key))}
        facts: dict[str, str | int] = {"job_id": request.job_id, "owner": request.owner, **told}
        if told.get("attempt", "").isdecimal():
            facts["attempt"] = int(told["attempt"])
        set_subject(lambda: facts)

    def note(self, event: WireEvent) -> None:
        """Take in what is sent to the caller."""
        if isinstance(event, Usage):
            self._usage = event
            self._model = event.model

    def finished(self) -> None:
        """The call has its answer."""
        self._count("ok")
        self._log.info("generation finished", **self._facts())

    def failed(self, error: GenerationError) -> None:
        """The call has none, for a reason that its caller learns; the provider's own words are for the log alone."""
        self._count(error.code)
        said = provider_said(error, self._request, self._secrets)
        facts = {**self._facts(), "code": error.code, "retryable": error.retryable, **said}
        # The circuit said that the provider is down; a thousand jobs that wait for it would say so again and again.
        level = self._log.debug if isinstance(error, ProviderDownError) else self._log.warning
        level("generation failed", reason=error.message, **facts)

    def broke(self) -> None:
        """The service has a bug."""
        self._count("internal")
        self._log.exception("generation broke", **self._facts())

    def left(self) -> None:
        """The caller has hung up."""
        self._count("cancelled")

    def _count(self, code: str) -> None:
        self._metrics.called(self._model, code, time.monotonic() - self._start)

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {"model": self._model, "seconds": round(time.monotonic() - self._start, 3)}
        if self._usage is not None:
            facts["input_tokens"] = self._usage.input_tokens
            facts["output_tokens"] = self._usage.output_tokens
            facts["cost_usd"] = self._usage.cost_usd
        return facts


def _text(metadata: Metadata, key: str) -> str:
    value = metadata.get(key, "")
    return (value.decode("latin-1") if isinstance(value, bytes) else value)[:_LONGEST]
