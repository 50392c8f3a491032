"""The application: routes, problems and the OpenAPI document around one job manager."""

from functools import cache
from importlib.metadata import version as distribution_version
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.deps import Readiness, all_there
from loresmith.api.edge import Edge
from loresmith.api.errors import Problem, problem_of, problem_response
from loresmith.api.openapi import build_openapi
from loresmith.api.routes import actions, events, health, job_types, queues, read, reference, submit
from loresmith.api.routes import worlds as saved_worlds
from loresmith.db import DatabaseError, Worlds
from loresmith.jobs import JobManager, JobsError

_TAGS = [
    {"name": "jobs", "description": "Submit work and follow it."},
    {"name": "queues", "description": "All jobs together."},
    {"name": "job types", "description": "What can be submitted."},
    {"name": "worlds", "description": "What was made, and lasts."},
    {"name": "health", "description": "For those who watch over the process."},
]


def create_app(
    manager: JobManager, worlds: Worlds, *, readiness: Readiness = all_there, version: str | None = None
) -> FastAPI:
    """Return the HTTP API over `manager` and the saved `worlds`.

    `readiness` tells what is missing besides Redis, which is always asked: name → what is wrong, empty when all is
    there. It must not raise.
    """
    app = FastAPI(
        title="LoreSmith",
        version=version or distribution_version("loresmith"),
        openapi_tags=_TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
        middleware=[Middleware(Edge)],
    )
    app.state.manager = manager
    app.state.worlds = worlds
    app.state.readiness = readiness
    for error in (Problem, JobsError, DatabaseError, HTTPException):
        app.add_exception_handler(error, _answer_problem)
    for group in (submit, read, actions, events, queues, job_types, saved_worlds, health, reference):
        app.include_router(group.router)

    @cache
    def openapi() -> dict[str, Any]:
        return build_openapi(app, manager.registry)

    app.openapi = openapi
    return app


def _answer_problem(request: Request, error: Exception) -> Response:
    return problem_response(problem_of(error), request_id=request.state.request_id)
