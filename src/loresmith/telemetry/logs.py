"""Logs: one structured line per event on standard error, for people or machines."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from io import StringIO
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from loresmith.telemetry.content import ContentFilter
from loresmith.telemetry.escaping import escaped, escaped_json
from loresmith.telemetry.subject import subject

# They report every connection at info, aiosqlite every value at debug; their warnings and errors are kept.
_CHATTY = (
    "aiosqlite",
    "alembic",
    "anthropic",
    "asyncio",
    "grpc",
    "httpcore2",
    "httpx2",
    "openai",
    "urllib3",
    "uvicorn",
    "uvicorn.access",
)


def configure_logging(
    level: str, log_format: Literal["auto", "console", "json"] = "auto", *, content: bool = False
) -> None:
    """Sends structlog and the standard library's loggers through one renderer to standard error.

    `auto` writes for people on a terminal and JSON elsewhere. With `content`, lines at debug quote what users and
    models wrote: see loresmith.telemetry.content.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # its C core writes past us, and reads this when imported
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared = _shared_processors(content=content)
    renderer = _renderers(log_format)
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _route_standard_library(threshold, shared, renderer)


def _shared_processors(*, content: bool) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        _add_subject,
        structlog.processors.add_log_level,
        ContentFilter(content),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _add_subject(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    about = subject()
    if event.get("job_id", about.get("job_id")) != about.get("job_id"):
        return event  # said of another job, by a task that was started on behalf of this one
    for name, value in about.items():
        event.setdefault(name, value)
    return event


def _renderers(log_format: str) -> Sequence[Processor]:
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    if console:
        return [_escape, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_write_trace)]
    # Local variables hold prompts and keys: they stay out of traces.
    traces = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(traces), structlog.processors.JSONRenderer(serializer=_json)]


def _escape(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape what is not ours: a value may quote a stranger, and this line is for a terminal, which obeys."""
    for name, value in event.items():
        if name in ("stack", "exception"):
            event[name] = _escaped_lines(str(value))
        elif not name.startswith("_") and name != "exc_info" and not isinstance(value, bool | int | float | None):
            event[name] = escaped(value if isinstance(value, str) else repr(value))
    return {escaped(name): value for name, value in event.items()}


def _write_trace(sio: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    written = StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    sio.write(_escaped_lines(written.getvalue()))


def _escaped_lines(text: str) -> str:
    return "\n".join(map(escaped, text.split("\n")))


def _json(document: Any, **options: Any) -> str:
    return escaped_json(json.dumps(document, **options))


def _route_standard_library(threshold: int, shared: Sequence[Processor], renderer: Sequence[Processor]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(shared),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
