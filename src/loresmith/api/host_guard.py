"""Guard of an API inside of another application, which knows its users by a dependency of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Scope

from loresmith.api.caller import Caller, caller_named
from loresmith.api.errors import Problem, unauthorized
from loresmith.api.guard import READ, KeyGuard
from loresmith.api.job_tokens import PREFIX as JOB_TOKEN
from loresmith.api.job_tokens import JobTokens
from loresmith.api.rate import RateLimiter

HOST_APP: Final = "loresmith.host_app"
"""Key of the scope under which the application around this API is kept."""
_FOUND: Final = "loresmith.owner"
_METHODS: Final = ("GET", "POST", "DELETE", "OPTIONS", "PATCH", "PUT")
_BEARER: Final = b"bearer "
_EMPTY_BODY: Final[Message] = {"type": "http.request", "body": b"", "more_body": False}

OwnerDependency = Callable[..., Any]
"""A dependency as FastAPI takes it, which returns an owner: text, a number, an `Owner`, or None for nobody."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The user of a request: whose jobs and worlds it may see and act on."""

    name: str
    admin: bool = False
    """Whether they may see and act on everybody's."""
    expires_at: float = math.inf
    """When their credential expires, in seconds since 1970: an event stream ends then."""


class HostGuard(KeyGuard):
    """Lets in whom a dependency of the application around knows, and the holders of tokens of jobs."""

    def __init__(
        self, job_tokens: JobTokens, dependency: OwnerDependency, *, limiter: RateLimiter | None = None
    ) -> None:
        super().__init__(job_tokens, limiter=limiter)
        self._ask = _Dependency(dependency)

    async def identify(self, request: Request, operation: str) -> Caller:
        """See Guard."""
        if _has_job_token(request, operation):
            return await super().identify(request, operation)
        owner = await self._ask.owner_of(request)
        return caller_named(owner.name, admin=owner.admin, expires_at=owner.expires_at)


class _Dependency:
    """Solves a dependency for a request, in a FastAPI application of one route that has no body."""

    def __init__(self, dependency: OwnerDependency) -> None:
        async def note(request: Request, owner: Any = Depends(dependency)) -> Response:  # noqa: B008 - FastAPI's form
            request.scope[_FOUND].append(owner)
            return Response(None, 204)

        self._name = getattr(dependency, "__name__", type(dependency).__name__)
        self._app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        self._app.add_api_route("/{path:path}", note, methods=list(_METHODS), response_model=None)

    async def owner_of(self, request: Request) -> Owner:
        """Return who makes a request. Raises Problem where the dependency refuses it."""
        found: list[Any] = []
        started: dict[str, Any] = {}
        body: list[bytes] = []

        async def receive() -> Message:
            return _EMPTY_BODY

        async def send(message: Message) -> None:
            started.update(message)
            body.append(message.get("body", b""))

        await self._app(self._scope(request.scope, found), receive, send)
        if not found:
            raise _refusal(started["status"], started["headers"], b"".join(body))
        return self._checked(found[0])

    def _scope(self, scope: Scope, found: list[Any]) -> Scope:
        """Return a scope in which a dependency finds what it finds in routes of the application around."""
        if (host := scope.get(HOST_APP)) is not None:
            self._app.state = host.state
            self._app.dependency_overrides = getattr(host, "dependency_overrides", {})
        return {**scope, "root_path": "", _FOUND: found}

    def _checked(self, owner: Any) -> Owner:
        if isinstance(owner, Owner):
            return owner
        if owner is None or owner == "":
            raise unauthorized("the caller has not shown who they are", error="")
        if isinstance(owner, str | int) and not isinstance(owner, bool):
            return Owner(str(owner))
        kind = type(owner).__name__
        raise TypeError(f"owner dependency {self._name!r} returned a {kind}: expected str, int, Owner or None")


def _refusal(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Problem:
    """Return the problem that an answer of a dependency, such as an HTTPException, is for a client of this API."""
    detail = _detail(body)
    if status == 403:
        return Problem("forbidden", detail or "this caller may not use it")
    if status >= 500 or status == 429:
        return Problem("auth_unavailable", detail or "who the caller is cannot be found out now")
    detail = detail or "the caller has not shown who they are"
    challenge = next((value.decode("latin-1") for name, value in headers if name == b"www-authenticate"), None)
    if challenge is None:
        return unauthorized(detail, error="")
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": challenge})


def _detail(body: bytes) -> str:
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    detail: Any = cast("dict[str, Any]", document).get("detail") if isinstance(document, dict) else None
    return detail if isinstance(detail, str) else ""


def _has_job_token(request: Request, operation: str) -> bool:
    token = JOB_TOKEN.encode()
    for name, value in request.scope["headers"]:
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            return value[len(_BEARER) :].strip().startswith(token)
    return operation in READ and b"token=" + token in request.scope["query_string"]
