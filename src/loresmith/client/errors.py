"""Every error of the client, and what each one means to a caller.

ClientError
├── ServerUnreachableError      no answer: refused, cut off, or not in time
├── UnexpectedAnswerError       an answer that is none of this API's, of a proxy perhaps
├── WaitTimeoutError            the job has not ended in the time given; it goes on
├── JobFailedError              the job has failed or was cancelled (`Job.raise_for_failure`)
├── ResultTypeError             a result or an item does not fit the `result_type`; `raw` has it
└── ProblemError                the server refused: problem+json (RFC 9457), whole
    ├── InvalidRequestError     400, 413, 415, 422: the same request will never do
    ├── UnauthenticatedError    401: no API key, or one that is not known
    ├── ForbiddenError          403: not with this key
    ├── NotFoundError           404: no such job, world or queue, or somebody else's
    ├── ConflictError           409: not in the state that the job is in
    ├── TooManyRequestsError    429: after `retry_after_seconds`
    ├── UnavailableError        503: likewise
    └── ServerFaultError        any other 5xx
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from loresmith.client.models import Job


class ClientError(Exception):
    """Base of all errors of the client; its message is one line."""


class ServerUnreachableError(ClientError):
    """No answer came; `was_sent` tells whether the server may have acted on the request all the same."""

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        self.was_sent = was_sent
        super().__init__(message)


class UnexpectedAnswerError(ClientError):
    """What answered does not speak this API: a proxy, another server, a much older version."""

    def __init__(self, message: str, *, status: int | None = None, retry_after_seconds: float | None = None) -> None:
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class WaitTimeoutError(ClientError):
    """The job has not ended within the time given and goes on; `job` is what was known of it last."""

    def __init__(self, job_id: str, *, seconds: float, job: Job | None) -> None:
        self.job_id = job_id
        self.job = job
        super().__init__(f"job {job_id!r} has not ended within {seconds:g} s; it goes on")


class JobFailedError(ClientError):
    """The job has failed or was cancelled; `code` is for programs, and more codes may come."""

    def __init__(self, job_id: str, reason: str, *, code: str) -> None:
        self.job_id = job_id
        self.reason = reason
        self.code = code
        super().__init__(f"job {job_id!r} failed: {reason}")


class ResultTypeError(ClientError):
    """A result or an item does not fit its `result_type`; `raw` is the value, `problems` points into it.

    The job itself has completed, if it has: only the reading of its result failed.
    """

    def __init__(self, message: str, *, raw: Any, problems: Sequence[FieldProblem]) -> None:
        self.raw = raw
        self.problems = problems
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: a JSON pointer into what was sent, a stable code, and a sentence."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem as the server told it; `retryable` and `retry_after_seconds` say whether and when to try again."""

    status: int
    code: str
    title: str = ""
    detail: str = ""
    retryable: bool = False
    request_id: str | None = None
    retry_after_seconds: float | None = None
    errors: Sequence[FieldProblem] = ()


class ProblemError(ClientError):
    """The server refused the request; see `problem`."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.detail or problem.title or f"the server answered {problem.status}")

    @property
    def code(self) -> str:
        """What is wrong, for programs; a code keeps its meaning."""
        return self.problem.code

    @property
    def retry_after_seconds(self) -> float | None:
        """When to come back, if the server said so."""
        return self.problem.retry_after_seconds


class InvalidRequestError(ProblemError):
    """The request is wrong in itself; `problem.errors` points at each field."""


class UnauthenticatedError(ProblemError):
    """The server wants an API key, or does not know this one."""


class ForbiddenError(ProblemError):
    """This key may not do it."""


class NotFoundError(ProblemError):
    """There is no such thing, or it is somebody else's."""


class ConflictError(ProblemError):
    """The job is not in a state for it: only ended ones are deleted, only failed ones retried."""


class TooManyRequestsError(ProblemError):
    """Too many requests or active jobs; try again after `retry_after_seconds`."""


class UnavailableError(ProblemError):
    """The server cannot serve now; try again after `retry_after_seconds`."""


class ServerFaultError(ProblemError):
    """The server failed at it; `problem.request_id` is in its log."""


_BY_STATUS: Final[dict[int, type[ProblemError]]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: TooManyRequestsError,
    503: UnavailableError,
}


def error_of(problem: Problem) -> ProblemError:
    """Return the error that a problem is raised as."""
    usual = ServerFaultError if problem.status >= 500 else InvalidRequestError
    return _BY_STATUS.get(problem.status, usual)(problem)
