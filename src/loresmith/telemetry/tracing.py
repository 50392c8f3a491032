"""What the parts of a process need of traces; what is behind it, OpenTelemetry, is imported only where it is wanted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, Protocol

Kind = Literal["server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool]

TRACEPARENT: Final = "traceparent"
"""The header, and key of gRPC metadata, by which the context of a trace travels (W3C Trace Context)."""
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Span(Protocol):
    """A piece of work of a trace, while it lasts. No attribute holds what a user or a model wrote."""

    @property
    def traceparent(self) -> str:
        """What carries the context of this span elsewhere."""
        ...

    def note(self, name: str, value: str | float) -> None:
        """Add an attribute."""
        ...

    def rename(self, name: str) -> None:
        """Give it another name."""
        ...

    def fail(self, code: str) -> None:
        """Say that the work failed; `code` is a word, not a message."""
        ...


class Tracing(Protocol):
    """Makes the spans of a process."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        """Return a span that is the current one inside; without a `parent`, it belongs to the current one outside."""
        ...

    def detached(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span]:
        """Return a span that never is the current one: for generators, in which others go on meanwhile."""
        ...

    @property
    def provider(self) -> Any:
        """The provider behind it, for a library that makes spans of its own."""
        ...


def is_wanted() -> bool:
    """Tell whether the environment names a receiver of traces, and nothing switches them off."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(os.environ.get(name) for name in _ENDPOINTS)
