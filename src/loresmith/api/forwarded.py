"""The outer address of a request: scheme, host and path prefix under which a proxy shows the API."""

import os
from collections.abc import Collection
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from loresmith.setting_types import root_path_of

TRUSTED_VARIABLE: Final = "FORWARDED_ALLOW_IPS"
_TRUSTED: Final = "127.0.0.1,::1"
_PREFIX: Final = b"x-forwarded-prefix"
_HOST: Final = b"x-forwarded-host"


class Forwarded(ProxyHeadersMiddleware):
    """ASGI middleware; below it `scope["path"]` has no prefix, and `scope["prefix"]` is that prefix, '' for none.

    The prefix is `root_path` where that is set, else the server's own root path (uvicorn's `--root-path`), else
    X-Forwarded-Prefix. Headers count only from peers in FORWARDED_ALLOW_IPS (by default this machine), as uvicorn has
    it. A proxy may remove the prefix or leave it. A prefix that begins like a path of the API (`own`) must be removed
    by the proxy: nothing else distinguishes `/jobs/jobs/{id}` from `/jobs/{id}`.
    """

    def __init__(self, app: ASGIApp, *, root_path: str = "", own: Collection[str] = ()) -> None:
        super().__init__(app, os.environ.get(TRUSTED_VARIABLE, _TRUSTED))  # pyright: ignore[reportArgumentType] - Starlette's ASGI types, not uvicorn's
        self._root_path = root_path
        self._own = frozenset(own)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = self._inner(scope)
        await super().__call__(scope, receive, send)

    def _inner(self, scope: Scope) -> Scope:
        client = scope.get("client")
        prefix = host = ""
        if (client[0] if client else None) in self.trusted_hosts:
            for name, value in scope["headers"]:
                if name == _PREFIX:
                    prefix = _prefix_of(value)
                elif name == _HOST:
                    host = value.decode("latin-1").partition(",")[0].strip()
        root_path: str = scope.get("root_path", "")
        if prefix := self._root_path or root_path or prefix:
            path = _without(scope["path"], root_path) if root_path else scope["path"]
            if prefix.split("/")[1] not in self._own:
                path = _without(path, prefix)
            scope = {**scope, "root_path": "", "path": path}
        scope["prefix"] = prefix
        if host:
            scope["forwarded_host"] = host
        return scope


class HeadRequests:
    """ASGI middleware that answers HEAD as GET would be, without its body (RFC 9110, 9.3.2).

    Below it the method is GET and `scope["head"]` is set, for answers that are costly or never end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A copy: servers look at the method of theirs to know that no body follows.
        await self._app({**scope, "method": "GET", "head": True}, receive, send_without_body)


def prefix_of(scope: Any) -> str:
    """Return what stands before the paths of this API outside, such as `/lore`; '' for nothing."""
    return scope.get("prefix", "")


def _prefix_of(header: bytes) -> str:
    """Return the prefix in a header, one part of each proxy with commas between; '' where it is none."""
    try:
        return "".join(root_path_of(part.strip()) for part in header.decode("latin-1").split(","))
    except ValueError:
        return ""


def _without(path: str, prefix: str) -> str:
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(f"{prefix}/") else path
