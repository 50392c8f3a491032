"""The API and the web page as an application to mount."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from loresmith.api import create_app
from loresmith.api.configured import access_of
from loresmith.api.host_guard import HOST_APP, OwnerDependency
from loresmith.asgi.connected import Connected
from loresmith.asgi.jobs import Jobs

_SERVERS: Final = frozenset(
    {
        "type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers",
        "client", "server", "state", "extensions", "session", "user", "auth",
    }
)  # fmt: skip
"""What a server and its middleware say of a request; the rest is of the routes of the application around."""


def asgi_app(jobs: Jobs, *, owner: OwnerDependency | None = None) -> ASGIApp:
    """Return the API with its web page, to be mounted: `app.mount("/lore", asgi_app(jobs, owner=current_user))`.

    `owner` is a dependency of FastAPI, or a function of the request, that returns the owner of a request: text, a
    number, an `Owner`, or None for nobody (401). Without it, LORESMITH_AUTH says who comes in. `jobs` must be open
    when a request comes. Raises ValueError where anybody could use it.
    """
    settings = jobs.settings
    if owner is None and settings.auth == "none" and not settings.allow_anonymous:
        raise ValueError(
            "asgi_app: owner is missing: expected a dependency that returns the owner of a request, or LORESMITH_AUTH,"
            " or LORESMITH_ALLOW_ANONYMOUS=1 to let everybody in"
        )
    return _Mounted(jobs, owner)


class _Mounted:
    """Makes the application when it is first asked, for `jobs` is open then."""

    def __init__(self, jobs: Jobs, owner: OwnerDependency | None) -> None:
        self._jobs, self._owner = jobs, owner
        self._made: tuple[Connected, ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            raise RuntimeError("asgi_app is no application of its own: mount it in one, whose lifespan opens its jobs")
        inner = {name: value for name, value in scope.items() if name in _SERVERS}
        inner[HOST_APP] = scope.get("app")
        await self._app()(inner, receive, send)

    def _app(self) -> ASGIApp:
        opened = self._jobs.connected
        if self._made is None or self._made[0] is not opened:
            self._made = opened, self._make(opened)
        return self._made[1]

    def _make(self, opened: Connected) -> ASGIApp:
        access = access_of(opened.settings, opened.database, opened.redis, owner=self._owner)
        opened.closes.push_async_callback(access.close)
        return create_app(
            opened.manager,
            opened.worlds,
            access=access,
            readiness=opened.missing,
            telemetry=opened.telemetry,
            webhooks=opened.webhooks,
            root_path=opened.settings.root_path,
            product=not opened.settings.jobs_only,
        )
