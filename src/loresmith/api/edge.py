"""The outermost layer of every request: its id, the headers of every answer, and the last resort for bugs."""

import re
import secrets
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loresmith.api.errors import problem_of, problem_response

log = structlog.get_logger(__name__)

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SECURITY: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}


class Edge:
    """ASGI middleware; `request.state.request_id` is set below it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message, request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            except ClientDisconnect:
                return
            except Exception as error:
                log.exception("request failed", method=scope["method"], path=scope["path"][:200])
                if started:
                    raise
                await problem_response(problem_of(error), request_id=request_id)(scope, receive, send_with_headers)


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _SANE_ID.fullmatch(offered) else secrets.token_hex(8)


def _add_headers(message: Message, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["x-request-id"] = request_id
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)
