"""The application: routes, problems and the OpenAPI document around one job manager."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as distribution_version
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from loresmith.api.access import Access
from loresmith.api.compression import Compressed
from loresmith.api.deps import BareRoute, PublicRoute, Readiness, all_there
from loresmith.api.documents import Document
from loresmith.api.edge import Edge
from loresmith.api.errors import Problem, problem_of, problem_response
from loresmith.api.forwarded import Forwarded, HeadRequests
from loresmith.api.observed import Observed
from loresmith.api.openapi import build_openapi
from loresmith.api.page import Page
from loresmith.api.reference import CONTENT_POLICY, render
from loresmith.api.refreshed import AwayError
from loresmith.api.routes import (
    actions,
    events,
    health,
    job_types,
    me,
    metrics,
    page,
    queues,
    read,
    reference,
    submit,
    tokens,
)
from loresmith.api.routes import webhooks as webhook_logs
from loresmith.api.routes import worlds as saved_worlds
from loresmith.api.routes.job_types import render_job_types
from loresmith.api.shortcut import Shortcut
from loresmith.api.webhooks import Webhooks
from loresmith.db import DatabaseError, Worlds
from loresmith.jobs import JobManager, JobsError
from loresmith.telemetry.process import Telemetry

GROUPS = (
    submit,
    read,
    actions,
    events,
    webhook_logs,
    tokens,
    queues,
    job_types,
    saved_worlds,
    me,
    health,
    metrics,
    reference,
    page,
)
_ROUTES = [route for group in GROUPS for route in group.router.routes if isinstance(route, BareRoute)]
_OWN = {route.path.split("/")[1] for route in _ROUTES} - {""} | {"assets"}
"""First segments of the paths that this API has."""
_PUBLIC = {route.name for route in _ROUTES if isinstance(route, PublicRoute)}
_DOCS_HEADERS = {"Cache-Control": "no-cache", "Content-Security-Policy": CONTENT_POLICY}
_TAGS = [
    {"name": "jobs", "description": "Submit work and follow it."},
    {"name": "queues", "description": "All jobs together."},
    {"name": "job types", "description": "What can be submitted."},
    {"name": "worlds", "description": "What was made, and lasts."},
    {"name": "callers", "description": "Who asks."},
    {"name": "health", "description": "For those who watch over the process."},
]


class _App(FastAPI):
    """FastAPI for what it is good at; what every request needs, and the three that nearly all are, stand before it."""

    def set_front(self, access: Access, telemetry: Telemetry, root_path: str) -> None:
        """Put it there, once the app is made."""
        routed = Compressed(Edge(super().__call__, access.site))
        shortcut = Shortcut(
            routed, self, access, submit=submit.submit_job, read=read.read_job, follow=events.follow_job
        )
        observed = Observed(access.for_pages(shortcut), telemetry)
        self._front = Forwarded(HeadRequests(observed), root_path=root_path, own=_OWN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Documents:
    """What is rendered once for all callers."""

    job_types: Document
    openapi: Document
    docs: Document


def create_app(
    manager: JobManager,
    worlds: Worlds,
    *,
    access: Access | None = None,
    readiness: Readiness = all_there,
    version: str | None = None,
    telemetry: Telemetry | None = None,
    webhooks: Webhooks = Webhooks(),  # noqa: B008 - frozen, and empty
    root_path: str = "",
    product: bool = True,
) -> FastAPI:
    """Return the HTTP API over `manager` and the saved `worlds`.

    `access` says who may use it; without one, whoever addresses it as this machine, who is the local owner.
    `readiness` tells what is missing besides Redis, which is always asked: name → what is wrong, empty when all is
    there. It must not raise. `webhooks` says which are taken: without, none.
    `root_path` is the path under which a proxy shows the API. Without `product` there are neither saved worlds nor the
    pages that make and show them.
    """
    app = _App(
        title="LoreSmith",
        version=version or distribution_version("loresmith"),
        openapi_tags=[tag for tag in _TAGS if product or tag["name"] not in saved_worlds.router.tags],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
    )
    access, telemetry = access or Access(), telemetry or Telemetry()
    app.set_front(access, telemetry, root_path)
    app.state.telemetry = telemetry
    app.state.access = access
    app.state.manager = manager
    app.state.worlds = worlds
    app.state.webhooks = webhooks
    app.state.readiness = readiness
    app.state.page = Page(product=product)
    app.mount("/assets", app.state.page.assets)
    for error in (Problem, JobsError, DatabaseError, AwayError, HTTPException):
        app.add_exception_handler(error, _answer_problem)
    app.add_exception_handler(Exception, _answer_bug)
    for group in GROUPS if product else [group for group in GROUPS if group is not saved_worlds]:
        app.include_router(group.router)

    @cache
    def openapi() -> dict[str, Any]:
        return build_openapi(app, manager.registry, public=_PUBLIC)

    app.openapi = openapi
    app.state.documents = Documents(
        job_types=Document(lambda _: render_job_types(manager.registry), "application/json"),
        openapi=Document(lambda prefix: orjson.dumps(_below(openapi(), prefix)), "application/json"),
        docs=Document(lambda prefix: render(openapi(), prefix).encode(), "text/html; charset=utf-8", _DOCS_HEADERS),
    )
    return app


def _answer_problem(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        error = HTTPException(405, headers={"Allow": ", ".join(_methods_of(request))})
    return problem_response(problem_of(error), request_id=request.state.request_id)


def _answer_bug(request: Request, error: Exception) -> Response:
    """Answer as Starlette would with plain text; it raises the error again afterwards, which Edge logs."""
    request.state.answered = True
    return _answer_problem(request, error)


def _methods_of(request: Request) -> list[str]:
    """Return what a path takes, over all its routes: the one that refused knows only its own."""
    fitting = [route for route in _ROUTES if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in fitting for method in route.methods or ()}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _below(document: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document of a server whose paths are below a prefix outside."""
    return {**document, "servers": [{"url": prefix}]} if prefix else document
