"""Metrics and traces of one process, from its start to its end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from loresmith.telemetry.loop_lag import watching_loop
from loresmith.telemetry.metrics import Metrics
from loresmith.telemetry.tracing import Tracing, is_wanted

LAST_SPANS_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the parts of a process are given. `tracing` is None where nobody wants traces."""

    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing | None = None


@contextlib.asynccontextmanager
async def telling(
    service: str, version: str, *, last_spans_seconds: float = LAST_SPANS_SECONDS
) -> AsyncGenerator[Telemetry]:
    """The telemetry of this process; spans that are left are sent at the end.

    Raises TracesUnavailableError when traces are wanted and OpenTelemetry is not installed.
    """
    metrics = Metrics(version)
    async with watching_loop(metrics.loop):
        if not is_wanted():
            yield Telemetry(metrics)
            return
        try:
            from loresmith.telemetry.otel import OtelTracing  # noqa: PLC0415 - its SDK takes a second to import
        except ImportError as error:
            raise TracesUnavailableError(error.name or "opentelemetry") from None
        tracing = OtelTracing(service, version)
        try:
            yield Telemetry(metrics, tracing)
        finally:
            await tracing.close(within_seconds=last_spans_seconds)


class TracesUnavailableError(Exception):
    """Traces are wanted, and what makes them is not installed."""

    def __init__(self, module: str) -> None:
        super().__init__(
            f"OTEL_EXPORTER_OTLP_… asks for traces, and {module!r} is not installed: pip install 'loresmith[otel]',"
            " or set OTEL_SDK_DISABLED=true"
        )
