"""The paths that nearly all requests take, told by their text: submit, read and follow go past the router."""

from collections.abc import Coroutine
from typing import Any, Final, Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from loresmith.api.access import Access
from loresmith.api.compression import LEAST_BYTES, compressed
from loresmith.api.edge import add_headers_of_data, take_request_id
from loresmith.api.errors import problem_of, problem_response

log = structlog.get_logger(__name__)


class Endpoint(Protocol):
    """The function of a route."""

    __name__: str

    def __call__(self, request: Request, /) -> Coroutine[Any, Any, Response]: ...


_JOBS: Final = "/jobs"
_JOB_PREFIX: Final = "/jobs/"
_TEMPLATE: Final = "/jobs/{job_id}"
_EVENTS: Final = "/events"
_JOB_LENGTH: Final = len("/jobs/00000000-0000-0000-0000-000000000000")


class Shortcut:
    """Calls the function of the route as the router would, at a fraction of its cost; all else goes there."""

    def __init__(
        self, routed: ASGIApp, app: object, access: Access, *, submit: Endpoint, read: Endpoint, follow: Endpoint
    ) -> None:
        self._routed = routed
        self._app = app
        self._access = access
        self._submit = submit
        self._of_job = {_JOB_LENGTH: read, _JOB_LENGTH + len(_EVENTS): follow}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope) if scope["type"] == "http" else None
        if endpoint is None:
            await self._routed(scope, receive, send)
            return
        request_id = take_request_id(scope)
        scope["app"] = self._app
        try:
            response = await self._answer(endpoint, Request(scope, receive, send), request_id)
            add_headers_of_data(response.raw_headers, scope)
            is_large = len(getattr(response, "body", b"")) >= LEAST_BYTES
            await (compressed(response, scope) if is_large else response)(scope, receive, send)
        except ClientDisconnect:
            return

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        path: str = scope["path"]
        if path == _JOBS:
            if scope["method"] != "POST":
                return None
            scope["template"] = _JOBS
            return self._submit
        endpoint = self._of_job.get(len(path))
        if endpoint is None or scope["method"] != "GET" or not path.startswith(_JOB_PREFIX):
            return None
        job_id, rest = path[len(_JOB_PREFIX) : _JOB_LENGTH], path[_JOB_LENGTH:]
        if "/" in job_id or rest not in ("", _EVENTS):
            return None
        scope["path_params"] = {"job_id": job_id.lower()}
        scope["template"] = f"{_TEMPLATE}{rest}"
        return endpoint

    async def _answer(self, endpoint: Endpoint, request: Request, request_id: str) -> Response:
        try:
            if (refusal := self._access.site.refusal(request.scope)) is not None:
                raise refusal
            await self._access.guard.enter(request, endpoint.__name__)
            return await endpoint(request)
        except ClientDisconnect:
            raise
        except Exception as error:
            problem = problem_of(error)
            if problem.code == "internal":
                log.exception("request failed", path=request.scope["path"])
            return problem_response(problem, request_id=request_id)
