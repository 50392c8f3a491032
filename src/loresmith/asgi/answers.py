"""Errors of the API as the client raises them, and as answers of an application."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.errors import Problem, problem_of, problem_response
from loresmith.api.refreshed import AwayError
from loresmith.client import FieldProblem, ProblemError
from loresmith.client import Problem as ClientProblem
from loresmith.client.errors import error_of
from loresmith.db import DatabaseError
from loresmith.jobs import FieldProblem as EngineProblem
from loresmith.jobs import JobsError


@contextlib.contextmanager
def client_errors() -> Generator[None]:
    """Raise what the API would answer as a problem as the error that its client would raise."""
    try:
        yield
    except (JobsError, DatabaseError, AwayError, Problem) as error:
        raise error_of(_of_client(problem_of(error))) from error


def _of_client(problem: Problem) -> ClientProblem:
    kind, after = problem.kind, problem.headers.get("Retry-After")
    return ClientProblem(
        status=kind.status,
        code=problem.code,
        title=kind.title,
        detail=problem.detail,
        retryable=kind.retryable,
        retry_after_seconds=None if after is None else float(after),
        errors=tuple(FieldProblem(one.pointer, one.code, one.detail) for one in problem.errors),
    )


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer an error of `Jobs` as the API does: `app.add_exception_handler(ProblemError, answer_problem)`."""
    if not isinstance(error, ProblemError):
        raise error
    told = error.problem
    after = {} if told.retry_after_seconds is None else {"Retry-After": f"{told.retry_after_seconds:.0f}"}
    errors = [EngineProblem(one.pointer, one.code, one.detail) for one in told.errors]
    state: dict[str, Any] = request.scope.get("state", {})
    request_id = str(state.get("request_id", ""))
    return problem_response(Problem(told.code, told.detail, errors, after), request_id=request_id)
