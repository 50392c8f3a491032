"""Ways in which a model can be asked for an object, and the one that its server was found to take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from pydantic_ai.exceptions import ModelHTTPError, UserError


class OutputMode(StrEnum):
    """One way; a server that does not take it is asked in the next."""

    JSON_SCHEMA = "json_schema"
    """The schema is the format of the answer."""
    TOOL = "tool"
    """The schema is the input of a tool that must be called."""
    JSON_OBJECT = "json_object"
    """The server holds the model to JSON, and the schema stands in the instructions."""
    WORDS = "words"
    """The schema stands in the instructions."""


_STATUSES: Final = frozenset({400, 404, 405, 415, 422, 500, 501})
_ABOUT_THE_MODE: Final = re.compile(
    r"response_?format|json_?schema|json_?object|structured|guided|grammar|schema|output_config|tool|function"
    r"|extra (?:fields|inputs)|unsupported parameter",
    re.IGNORECASE,
)


class OutputModes:
    """The ladder of modes of one model: it begins at the best, and what was refused is not tried again."""

    def __init__(self, ladder: Sequence[OutputMode] = tuple(OutputMode)) -> None:
        self._ladder = tuple(ladder)
        self._at = 0

    @property
    def is_fixed(self) -> bool:
        """Whether there is one mode only, as the operator said."""
        return len(self._ladder) == 1

    @property
    def current(self) -> OutputMode:
        """The mode for the next request."""
        return self._ladder[self._at]

    def next_after(self, mode: OutputMode, error: Exception) -> OutputMode | None:
        """Return the mode to try at once when `mode` was refused with `error`; None if that is no matter of the mode.

        Requests that run at the same time may be refused in the same mode: the ladder is gone down once.
        """
        if not is_about_the_mode(error) or mode not in self._ladder:
            return None
        following = self._ladder.index(mode) + 1
        if following >= len(self._ladder):
            return None
        self._at = max(self._at, following)
        return self._ladder[self._at]


def is_about_the_mode(error: Exception) -> bool:
    """Whether a server refused the way in which it was asked for the object."""
    if isinstance(error, UserError):  # of pydantic-ai, for a schema that it cannot send in this way
        return True
    if not isinstance(error, ModelHTTPError) or error.status_code not in _STATUSES:
        return False
    return bool(_ABOUT_THE_MODE.search(str(error.body)))
