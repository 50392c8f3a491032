"""The outermost layer of every request: its id, the headers of every answer, and the last resort for bugs."""

import re
from collections.abc import Sequence
from random import getrandbits
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loresmith.api.errors import problem_of, problem_response
from loresmith.api.site import Site
from loresmith.telemetry.subject import set_subject

log = structlog.get_logger(__name__)

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_POLICY: Final = b"content-security-policy"
_RESOURCE_POLICY: Final = b"cross-origin-resource-policy"
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (_RESOURCE_POLICY, b"same-origin"),
)
_OF_DATA: Final = (*_SECURITY, (_POLICY, b"default-src 'none'; frame-ancestors 'none'"))
_OF_OPEN_DATA: Final = tuple(header for header in _OF_DATA if header[0] != _RESOURCE_POLICY)
_OF_A_PAGE: Final = (
    *_SECURITY,
    (
        _POLICY,
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
            b" connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
)
"""A page may use files of this server and nothing else, and nothing that is written into it."""


class Edge:
    """ASGI middleware; `request.state.request_id` is set below it."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = take_request_id(scope)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                add_headers(message["headers"], scope)
            await send(message)

        try:
            if (refusal := self._site.refusal(scope)) is not None:
                await problem_response(refusal, request_id=request_id)(scope, receive, send_with_headers)
                return
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            return
        except Exception as error:
            log.exception("request failed", method=scope["method"], path=scope["path"][:200])
            if scope["state"].get("answered"):
                return
            if started:
                raise
            await problem_response(problem_of(error), request_id=request_id)(scope, receive, send_with_headers)


def take_request_id(scope: Scope) -> str:
    """Return the id of a request, which is in its state and in the log lines of its task from now on."""
    request_id = _request_id(scope)
    scope.setdefault("state", {})["request_id"] = request_id
    set_subject(lambda: {"request_id": request_id})
    return request_id


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            offered: str = value.decode("latin-1")
            if _SANE_ID.fullmatch(offered):
                return offered
    return f"{getrandbits(64):016x}"


def add_headers(headers: list[tuple[bytes, bytes]], scope: Scope) -> None:
    """Add to the headers of an answer what every answer has; one that has a policy keeps it.

    Strict-Transport-Security is not among them: this server speaks HTTP, and only who ends TLS before it knows whether
    all that is under the name is behind TLS.
    """
    fixed = _OF_DATA
    for name, value in headers:
        if name == _POLICY:
            fixed = _SECURITY
            break
        if name == _RESOURCE_POLICY:
            fixed = _OF_OPEN_DATA
            break
        if name == b"content-type" and value.startswith(b"text/html"):
            fixed = _OF_A_PAGE
    _add(headers, scope, fixed)


def add_headers_of_data(headers: list[tuple[bytes, bytes]], scope: Scope) -> None:
    """Do as `add_headers` for an answer that is no page, without a look at its headers."""
    _add(headers, scope, _OF_DATA)


def _add(headers: list[tuple[bytes, bytes]], scope: Scope, fixed: Sequence[tuple[bytes, bytes]]) -> None:
    state = scope["state"]
    headers.append((b"x-request-id", state["request_id"].encode()))
    if (rate := state.get("rate")) is not None:
        headers.extend(rate)
    headers.extend(fixed)
