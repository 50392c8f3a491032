"""Traces by OpenTelemetry: the one module that imports its SDK, and only once traces are wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
from collections.abc import Generator
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loresmith.telemetry.discreet import DiscreetExporter
from loresmith.telemetry.tracing import TRACEPARENT, Attributes, Kind

_KINDS: Final = {
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
    "consumer": trace.SpanKind.CONSUMER,
}
_propagator: Final = TraceContextTextMapPropagator()


class OtelSpan:
    """See tracing.Span."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """See tracing.Span."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, trace.set_span_in_context(self._span))
        return carrier.get(TRACEPARENT, "")

    def note(self, name: str, value: str | float) -> None:
        """See tracing.Span."""
        self._span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        """See tracing.Span."""
        self._span.update_name(name)

    def fail(self, code: str) -> None:
        """See tracing.Span."""
        self._span.set_attribute("error.type", code)
        self._span.set_status(trace.StatusCode.ERROR)


class OtelTracing:
    """See tracing.Tracing. Spans are sent in batches, from a thread; `close` sends the rest."""

    def __init__(self, service: str, version: str) -> None:
        """Endpoint, headers, sampling and so on are those of the standard `OTEL_…` variables."""
        identity = {"service.version": version, "service.instance.id": secrets.token_hex(8)}
        resource = Resource.create(identity if _is_named() else {"service.name": service, **identity})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(DiscreetExporter(OTLPSpanExporter())))
        self._tracer = self._provider.get_tracer("loresmith", version)

    @property
    def provider(self) -> Any:
        """See tracing.Tracing."""
        return self._provider

    @contextlib.contextmanager
    def span(self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None = None) -> Generator[OtelSpan]:
        """See tracing.Tracing."""
        context = _propagator.extract({TRACEPARENT: parent}) if parent else None
        span = self._tracer.start_span(name, context, _KINDS[kind], attributes)
        # Its message may hold what a model wrote.
        with (
            trace.use_span(span, True, record_exception=False, set_status_on_exception=False),
            _failing(OtelSpan(span)) as ours,
        ):
            yield ours

    @contextlib.contextmanager
    def detached(self, name: str, kind: Kind, attributes: Attributes) -> Generator[OtelSpan]:
        """See tracing.Tracing."""
        span = self._tracer.start_span(name, None, _KINDS[kind], attributes)
        try:
            with _failing(OtelSpan(span)) as ours:
                yield ours
        finally:
            span.end()

    async def close(self, *, within_seconds: float) -> None:
        """Send what is left, for no longer than so long: a receiver that is away keeps no process from stopping."""
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def send() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=send, name="last-spans", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await done.wait()


def _is_named() -> bool:
    """Tell whether the operator has chosen a name for the service."""
    return "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


@contextlib.contextmanager
def _failing(span: OtelSpan) -> Generator[OtelSpan]:
    try:
        yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
