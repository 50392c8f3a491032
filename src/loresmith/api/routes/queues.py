"""Routes of the queue as a whole: figures, pause, resume."""

from dataclasses import asdict

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import BareRoute, manager_of, require_admin
from loresmith.api.errors import Problem
from loresmith.api.representation import JSON
from loresmith.api.schemas import StatsObject
from loresmith.jobs import Figures, JobManager

router = APIRouter(tags=["queues"], route_class=BareRoute)

_PROBLEMS = describe.problems("forbidden", "queue_not_found", "store_unavailable")


@router.get(
    "/stats",
    response_model=StatsObject,
    summary="How busy is it?",
    responses={200: describe.answer("Figures", "Cache-Control"), **describe.problems("store_unavailable")},
)
async def read_stats(request: Request) -> Response:
    """Return how deep the queue is, who works on it, and how long jobs of each type wait and run."""
    figures = await manager_of(request).stats()
    return Response(orjson.dumps(_stats(figures)), 200, {"Cache-Control": "private, no-cache"}, JSON)


def _stats(figures: Figures) -> dict[str, object]:
    depth = figures.depth
    queue = {
        "name": figures.queue,
        "paused": depth.paused,
        "depth": {"high": depth.high, "normal": depth.normal, "low": depth.low},
        "running": depth.running,
        "scheduled": depth.scheduled,
        "open": depth.open,
        "ended_per_minute": figures.per_minute,
    }
    types = {name: asdict(one) for name, one in figures.types.items()}
    workers = [asdict(one) for one in figures.workers]
    return {"queues": [queue], "workers": workers, "types": types, "unknown_types": figures.unknown_types}


@router.post(
    "/queues/{name}/pause",
    status_code=204,
    summary="Pause a queue",
    openapi_extra={"parameters": [describe.QUEUE_NAME]},
    responses={204: describe.answer("No more jobs are handed out; those that run go on"), **_PROBLEMS},
)
async def pause_queue(request: Request) -> Response:
    """Hand out no more jobs until `resume`. Jobs are still taken in, and wait."""
    await _manager_of_queue(request).pause()
    return Response(None, 204)


@router.post(
    "/queues/{name}/resume",
    status_code=204,
    summary="Resume a queue",
    openapi_extra={"parameters": [describe.QUEUE_NAME]},
    responses={204: describe.answer("Jobs are handed out again"), **_PROBLEMS},
)
async def resume_queue(request: Request) -> Response:
    """Hand out jobs again."""
    await _manager_of_queue(request).resume()
    return Response(None, 204)


def _manager_of_queue(request: Request) -> JobManager:
    require_admin(request)
    manager = manager_of(request)
    if request.path_params["name"] != manager.queue:
        raise Problem("queue_not_found", f"no queue has this name, expected {manager.queue!r}")
    return manager
