"""What the commands that ask a server end with: codes for scripts, one line on standard error for people."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

import typer

from loresmith.cli.terminal import complain
from loresmith.client import (
    ClientError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    ServerFaultError,
    ServerUnreachableError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    WaitTimeoutError,
)


class ExitCode(IntEnum):
    """Exit codes; each keeps its meaning."""

    OK = 0
    FAILED = 1
    """The job has failed or was cancelled, the doctor has found something, or the server would not do it."""
    USAGE = 2
    """The command, a field or a value is wrong."""
    NOT_FOUND = 3
    UNREACHABLE = 4
    """No server answers, or it cannot serve now: the same command may do later."""
    REFUSED = 5
    """The API key is missing, unknown, or may not do this."""
    TIMED_OUT = 124
    """What was waited for has not come within `--timeout`, as with timeout(1)."""
    INTERRUPTED = 130
    """Ctrl-C: watching was left, the job goes on."""


_CODES: tuple[tuple[type[ClientError], ExitCode], ...] = (
    (NotFoundError, ExitCode.NOT_FOUND),
    (InvalidRequestError, ExitCode.USAGE),
    (UnauthenticatedError, ExitCode.REFUSED),
    (ForbiddenError, ExitCode.REFUSED),
    (TooManyRequestsError, ExitCode.UNREACHABLE),
    (UnavailableError, ExitCode.UNREACHABLE),
    (ServerUnreachableError, ExitCode.UNREACHABLE),
    (UnexpectedAnswerError, ExitCode.UNREACHABLE),
    (WaitTimeoutError, ExitCode.TIMED_OUT),
)


def leave(message: str, code: ExitCode) -> NoReturn:
    """End the command with a line on standard error."""
    complain(f"loresmith: {' '.join(message.split())}")
    raise typer.Exit(code)


def leave_with(error: ClientError) -> NoReturn:
    """End the command as an error of the client demands."""
    leave(_line(error), next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED))


def _line(error: ClientError) -> str:
    match error:
        case ServerUnreachableError():
            return f"{error}; is `loresmith run` running? see --url, LORESMITH_URL"
        case UnauthenticatedError():
            return f"{error}; see LORESMITH_API_KEY"
        case ServerFaultError():
            return f"{error}; the server's log has it under request_id {error.problem.request_id}"
        case ProblemError() if error.retry_after_seconds is not None:
            return f"{error}; try again in {error.retry_after_seconds:.0f} s"
        case _:
            return str(error)
