"""Counts every request, and makes it a span where there are traces."""

import time
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loresmith.telemetry.process import Telemetry
from loresmith.telemetry.tracing import TRACEPARENT, Span

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_UNTRACED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_LONGEST_PATH: Final = 200
_TRACEPARENT: Final = TRACEPARENT.encode()


class Observed:
    """ASGI middleware around everything else. `scope["template"]` is the route where the router was passed by."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._metrics = telemetry.metrics.http
        self._tracing = telemetry.tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._tracing is None or scope["path"] in _UNTRACED:
            await self._app(scope, receive, self._counting(scope, send, None))
        else:
            method = _method_of(scope)
            path = scope["path"][:_LONGEST_PATH]
            attributes = {"http.request.method": method, "url.path": path, "url.scheme": scope["scheme"]}
            with self._tracing.span(method, "server", attributes, parent=_parent_of(scope)) as span:
                await self._app(scope, receive, self._counting(scope, send, span))

    def _counting(self, scope: Scope, send: Send, span: Span | None) -> Send:
        """Return what sends an answer and counts it."""
        began = time.monotonic()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                method, route = _method_of(scope), scope.get("template") or _template_of(scope)
                status = message["status"]
                self._metrics.answered(method, route, status, time.monotonic() - began)
                if span is not None:
                    _note(span, scope, method, route, status)
            await send(message)

        return noting


def _note(span: Span, scope: Scope, method: str, route: str, status: int) -> None:
    span.rename(f"{method} {route}")
    span.note("http.route", route)
    span.note("http.response.status_code", status)
    if request_id := scope.get("state", {}).get("request_id"):
        span.note("loresmith.request.id", request_id)
    if status >= 500:
        span.fail(str(status))


def _method_of(scope: Scope) -> str:
    """Return the method that the client used; a name of its own making is none."""
    method: str = "HEAD" if "head" in scope else scope["method"]
    return method if method in _METHODS else "other"


def _template_of(scope: Scope) -> str:
    """Return the path of the route with names for what differs; a client cannot make up a new one."""
    if (route := scope.get("route")) is not None:
        return route.path
    return "/assets" if scope.get("root_path") == "/assets" else "unmatched"


def _parent_of(scope: Scope) -> str | None:
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    return headers[_TRACEPARENT].decode("latin-1") if _TRACEPARENT in headers else None
