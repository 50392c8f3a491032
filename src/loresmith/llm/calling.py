"""What a call to the lore service carries beside its request: whose work it is part of, for logs and traces."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from loresmith.telemetry.subject import subject
from loresmith.telemetry.tracing import TRACEPARENT, Span, Tracing

GENERATE: Final = "loresmith.lore.v1.LoreService/Generate"
"""The method in full; also the name of its spans."""
RPC: Final = {"rpc.system": "grpc", "rpc.service": "loresmith.lore.v1.LoreService", "rpc.method": "Generate"}
REQUEST_ID: Final = "x-request-id"
JOB_TYPE: Final = "x-job-type"
JOB_ATTEMPT: Final = "x-job-attempt"

Metadata = tuple[tuple[str, str], ...]
_CARRIED: Final = {"request_id": REQUEST_ID, "type": JOB_TYPE, "attempt": JOB_ATTEMPT}


def calling_span(tracing: Tracing | None) -> AbstractContextManager[Span | None]:
    """Return the span of a call; it does not become the current one, as the caller goes on meanwhile."""
    return nullcontext() if tracing is None else tracing.detached(GENERATE, "client", RPC)


def carried(span: Span | None) -> Metadata:
    """Return the metadata that says on behalf of what this task calls."""
    facts = subject()
    told = tuple((key, str(facts[name])) for name, key in _CARRIED.items() if name in facts)
    return told if span is None else (*told, (TRACEPARENT, span.traceparent))
