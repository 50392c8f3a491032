"""What a process without the API answers to those who watch over it: lives it, can it work, what are its figures."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loresmith.api.deps import Readiness
from loresmith.api.errors import Problem, problem_response
from loresmith.api.scraping import Counts, scraped
from loresmith.telemetry.metrics import Metrics

_PATIENCE_SECONDS: Final = 6.0
_NO_STORE: Final = {"Cache-Control": "no-store"}


def build_probes(
    metrics: Metrics,
    *,
    missing: Readiness,
    notes: Readiness | None = None,
    stuck: Callable[[], str] = lambda: "",
    counts: Counts | None = None,
) -> Starlette:
    """Return the application with `/healthz`, `/readyz` and `/metrics`.

    `missing` is asked for what the process needs and has not. `stuck` says why a restart would help, '' when it would
    not: what is away comes back without one. `notes` are worth knowing, and no reason not to be ready.
    """

    async def healthz(_: Request) -> Response:
        if why := stuck():
            return _json({"status": "stuck", "detail": why}, 503)
        return _json({"status": "ok"}, 200)

    async def readyz(_: Request) -> Response:
        if gone := await _within(missing):
            detail = "; ".join(f"{name}: {wrong}" for name, wrong in gone.items())
            problem = Problem("not_ready", detail, headers={"Retry-After": "2"}, members={"missing": gone})
            return problem_response(problem, request_id="")
        noted = await _within(notes) if notes else {}
        return _json({"status": "ready", **({"notes": noted} if noted else {})}, 200)

    async def read_metrics(request: Request) -> Response:
        return await scraped(request, metrics, counts)

    paths: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": read_metrics,
    }
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in paths.items()])


async def _within(missing: Readiness) -> dict[str, str]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return dict(await missing())
    except TimeoutError:
        return {"checks": f"not done within {_PATIENCE_SECONDS:.0f} s"}


def _json(value: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(value), status, _NO_STORE, "application/json")
