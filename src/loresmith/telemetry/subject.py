"""What the work of this task is about: a request, a job; every log line of the task names it."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Final

Describe = Callable[[], Mapping[str, str | int]]

_NOTHING: Final[Mapping[str, str | int]] = {}
_describe: ContextVar[Describe | None] = ContextVar("loresmith_subject", default=None)


def set_subject(describe: Describe) -> None:
    """Let `describe` tell what this task, and those that it starts, work on; it is called when a line is written.

    It is never taken back: whoever calls this is in a task of its own.
    """
    _describe.set(describe)


def subject() -> Mapping[str, str | int]:
    """Return what this task works on, by name; empty for one that works on nothing in particular."""
    describe = _describe.get()
    return describe() if describe is not None else _NOTHING


def request_id() -> str:
    """Return the id of the request that this work goes back to, '' when there is none."""
    return str(subject().get("request_id", ""))
