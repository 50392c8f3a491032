"""Text of users and models in logs: excerpts at debug alone, and only with LORESMITH_LOG_CONTENT."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from structlog.typing import EventDict, WrappedLogger

LONGEST_EXCERPT: Final = 300
CONTENT: Final = "content"
"""The key of an excerpt."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a user or a model wrote, or an error that quotes it, as the value of a key of a log line.

    The line shows it at debug, cut to 300 characters, where the operator asked for content; else the key is left out.
    """

    text: object

    def __repr__(self) -> str:
        return "<content>"  # in a process that set up no logs


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """The processor that shows or drops content, whatever the level its line was logged with."""

    allowed: bool

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """Return the event without the content that must not be seen."""
        shown = self.allowed and event.get("level") == "debug"
        for key in [key for key, value in event.items() if isinstance(value, Content)]:
            text = str(event.pop(key).text)
            if shown:
                event[key] = text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}..."
        return event


def frames_of(error: BaseException) -> str:
    """Return the trace of an error and of its causes by type, file, line and function.

    Messages are left out: those of validation errors, for one, quote what was validated.
    """
    return "\n".join(_frames(error))


def _frames(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield f"{type(found).__module__}.{type(found).__qualname__}"
        for frame in traceback.extract_tb(found.__traceback__, limit=-20):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
