"""What routes need: the objects of this process, and the parts of a request."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from loresmith.api.access import Access
from loresmith.api.caller import Caller
from loresmith.api.errors import Problem
from loresmith.api.ids import canonical_id
from loresmith.api.webhooks import Webhooks
from loresmith.db import Worlds
from loresmith.jobs import JobManager
from loresmith.telemetry.process import Telemetry

_IDS = frozenset({"job_id", "world_id"})

Readiness = Callable[[], Awaitable[Mapping[str, str]]]
"""Returns what is missing: its name → what is wrong with it. Empty when all is there."""


class BareRoute(APIRoute):
    """A route whose function takes the request and returns the answer: FastAPI describes it and stays out of its way.

    No dependency is solved, no body parsed, no model serialized; the annotations serve the OpenAPI document.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Do as Starlette does, with ids in their canonical form; `batch` is a path of its own and no id."""
        match, found = super().matches(scope)
        if match is not Match.NONE:
            parameters: dict[str, str] = found["path_params"]
            if parameters.get("job_id") == "batch":
                return Match.NONE, {}
            for name in _IDS & parameters.keys():
                parameters[name] = canonical_id(parameters[name])
        return match, found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint, operation = self.endpoint, self.name

        async def guarded(request: Request) -> Response:
            await access_of(request).guard.enter(request, operation)
            return await endpoint(request)

        return guarded


class PublicRoute(BareRoute):
    """A route for everybody: its function is not told who calls."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


async def all_there() -> Mapping[str, str]:
    """Readiness of a process that needs nothing but Redis."""
    return {}


def access_of(request: Request) -> Access:
    """Return what decides who may use the API."""
    return request.app.state.access


def manager_of(request: Request) -> JobManager:
    """Return the manager of this process."""
    return request.app.state.manager


def worlds_of(request: Request) -> Worlds:
    """Return the saved worlds."""
    return request.app.state.worlds


def telemetry_of(request: Request) -> Telemetry:
    """Return the metrics and traces of this process."""
    return request.app.state.telemetry


def webhooks_of(request: Request) -> Webhooks:
    """Return the webhooks of this server."""
    return request.app.state.webhooks


def readiness_of(request: Request) -> Readiness:
    """Return the check for what this process needs besides Redis."""
    return request.app.state.readiness


def headers_of(request: Request, name: bytes) -> list[str]:
    """Return the values of a header, of which there may be several; `name` is in lower case.

    Starlette's `request.headers` costs as much as all else that a read does beside its input and output.
    """
    return [value.decode("latin-1") for key, value in request.scope["headers"] if key == name]


def header_of(request: Request, name: bytes) -> str:
    """Return a header, the first if there are several, '' when it is not there."""
    for key, value in request.scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""


def job_id_of(request: Request) -> str:
    """Return the id in the path, which the route has in its canonical form if it is one."""
    return request.path_params["job_id"]


def caller_of(request: Request) -> Caller:
    """Return who calls, as the guard has found."""
    return request.scope["state"]["caller"]


def owner_of(request: Request) -> str:
    """Return whose the jobs are that this request submits."""
    return caller_of(request).owner


def is_admin(request: Request) -> bool:
    """Tell whether the caller may see and act on everybody's jobs and worlds, and on queues."""
    return caller_of(request).admin


def viewer_of(request: Request) -> str | None:
    """Return whose jobs and worlds this request may see and act on; None: everybody's."""
    return caller_of(request).sees


def require_admin(request: Request) -> None:
    """Raise Problem unless the caller is an admin."""
    if not is_admin(request):
        raise Problem("forbidden", "expected a caller with the admin scope")
