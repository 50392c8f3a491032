"""Problems (RFC 9457): every error a client may meet, and the one table that maps errors to HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from loresmith.api.refreshed import AwayError
from loresmith.db import StorageUnavailableError, WorldNotFoundError
from loresmith.jobs import (
    FieldProblem,
    IdempotencyKeyReusedError,
    InvalidCursorError,
    InvalidPayloadError,
    JobNotFoundError,
    NotEndedError,
    NotRetryableError,
    QueueFullError,
    StoreUnavailableError,
    TooManyActiveJobsError,
    UnknownJobTypeError,
)

MEDIA_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:problem-type:loresmith:"
_MOST_DETAIL: Final = 300
_MOST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """What all problems of one code have in common."""

    status: int
    title: str
    retryable: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "invalid_json": Kind(400, "The body is not a JSON object"),
    "unknown_job_type": Kind(400, "No such job type"),
    "invalid_payload": Kind(400, "The request has missing, wrong or unknown fields"),
    "invalid_parameter": Kind(400, "A part of the address is wrong"),
    "bad_request": Kind(400, "The request cannot be understood"),
    "host_not_allowed": Kind(400, "The server does not answer to this name"),
    "unauthorized": Kind(401, "The caller has not shown who they are"),
    "forbidden": Kind(403, "The caller may not do this"),
    "origin_not_allowed": Kind(403, "Pages of this origin may not change anything"),
    "not_found": Kind(404, "No such path"),
    "job_not_found": Kind(404, "No such job"),
    "world_not_found": Kind(404, "No such world"),
    "queue_not_found": Kind(404, "No such queue"),
    "method_not_allowed": Kind(405, "The path does not take this method"),
    "job_not_ended": Kind(409, "The job has not ended"),
    "job_not_failed": Kind(409, "The job has not failed"),
    "payload_too_large": Kind(413, "The body is too large"),
    "unsupported_media_type": Kind(415, "The body is not declared as application/json"),
    "idempotency_key_reused": Kind(422, "The idempotency key was used for another request"),
    "rate_limited": Kind(429, "The caller makes too many requests", retryable=True),
    "too_many_active_jobs": Kind(429, "The caller has too many jobs that have not ended", retryable=True),
    "internal": Kind(500, "Something went wrong on our side"),
    "queue_full": Kind(503, "Too many jobs wait already", retryable=True),
    "store_unavailable": Kind(503, "The store is away", retryable=True),
    "auth_unavailable": Kind(503, "Who the caller is cannot be found out now", retryable=True),
    "not_ready": Kind(503, "Something the service needs is missing", retryable=True),
}
"""Every code with its status; a code never changes its meaning."""


@dataclass(slots=True, eq=False)
class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """An answer that is an error: raised anywhere below a route, or made from an error of the engine."""

    code: str
    detail: str
    errors: Sequence[FieldProblem] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    members: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Extension members of this one problem."""

    @property
    def kind(self) -> Kind:
        return KINDS[self.code]


def unknown_job_type(error: UnknownJobTypeError, *, pointer: str = "/type") -> Problem:
    """Return the problem of a submission of an unknown type, which is named at `pointer`."""
    name = error.name[:_MOST_NAME]
    nearest = get_close_matches(name, error.known, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    detail = f"no job type is named {name!r}: {hint}expected one of: {', '.join(error.known)}"
    return Problem("unknown_job_type", detail, [FieldProblem(pointer, "unknown_job_type", detail)])


def _invalid_payload(error: InvalidPayloadError) -> Problem:
    return Problem("invalid_payload", _summary(error.problems), error.problems)


def _summary(problems: Sequence[FieldProblem]) -> str:
    shown = "; ".join(f"{one.pointer}: {one.detail}" for one in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return shown[:_MOST_DETAIL] + more


def _http_error(error: HTTPException) -> Problem:
    code = {404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}.get(error.status_code)
    headers = dict(error.headers or {})
    detail = {"not_found": "no route leads here", "method_not_allowed": f"expected {headers.get('Allow', 'another')}"}
    code = code or ("bad_request" if error.status_code < 500 else "internal")
    return Problem(code, detail.get(code, KINDS[code].title.lower()), headers=headers)


def invalid_parameter(name: str, expected: str) -> Problem:
    """Return the problem of a parameter of the path or the query that is wrong."""
    return Problem("invalid_parameter", f"{name}: {expected}", members={"parameter": name})


def unauthorized(detail: str, *, error: str = "invalid_token") -> Problem:
    """Return the problem of a request whose caller is not known, with the challenge of RFC 6750."""
    challenge = 'Bearer realm="loresmith"' + (f', error="{error}"' if error else "")
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": challenge})


def _retry_after(code: str) -> Callable[[Any], Problem]:
    return lambda error: Problem(code, str(error), headers={"Retry-After": str(error.retry_after_seconds)})


TABLE: Mapping[type[Exception], Callable[[Any], Problem]] = {
    UnknownJobTypeError: unknown_job_type,
    InvalidPayloadError: _invalid_payload,
    JobNotFoundError: lambda _: Problem("job_not_found", "no job has this id: it never existed or has expired"),
    WorldNotFoundError: lambda _: Problem("world_not_found", "no world has this id: it never existed or was deleted"),
    StorageUnavailableError: _retry_after("store_unavailable"),
    InvalidCursorError: lambda error: Problem("bad_request", str(error)),
    NotEndedError: lambda error: Problem("job_not_ended", str(error)),
    NotRetryableError: lambda error: Problem("job_not_failed", str(error)),
    IdempotencyKeyReusedError: lambda error: Problem("idempotency_key_reused", str(error)),
    QueueFullError: _retry_after("queue_full"),
    TooManyActiveJobsError: _retry_after("too_many_active_jobs"),
    StoreUnavailableError: _retry_after("store_unavailable"),
    AwayError: _retry_after("auth_unavailable"),
    HTTPException: _http_error,
}
"""Error → problem. What is not in here is a bug of ours: 500, with the trace in the log only."""


def problem_of(error: Exception) -> Problem:
    """Return the problem that answers an error."""
    if isinstance(error, Problem):
        return error
    for kind in type(error).__mro__:
        if (answer := TABLE.get(kind)) is not None:
            return answer(error)
    return Problem("internal", "an unexpected error, logged under this request_id")


def problem_response(problem: Problem, *, request_id: str) -> Response:
    """Return the answer that a problem is, as application/problem+json."""
    kind = problem.kind
    document = {
        "type": _TYPE_PREFIX + problem.code,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "code": problem.code,
        "retryable": kind.retryable,
        "request_id": request_id,
        "errors": list(problem.errors),
        **problem.members,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(orjson.dumps(document), kind.status, headers, MEDIA_TYPE)
