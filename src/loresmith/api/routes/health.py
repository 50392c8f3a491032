"""Routes for those who watch over the process: does it live, can it serve."""

import asyncio
from typing import Annotated, Final, Literal

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import PublicRoute, manager_of, readiness_of
from loresmith.api.errors import Problem
from loresmith.jobs import StoreUnavailableError

router = APIRouter(tags=["health"], route_class=PublicRoute)

_PATIENCE_SECONDS: Final = 3.0
_NO_STORE: Final = {"Cache-Control": "no-store"}
_LIVES: Final = {**_NO_STORE, "Cross-Origin-Resource-Policy": "cross-origin"}
"""No script of another origin reads the answer, but it finds out that there is one: the client tells a refused origin
from a server that is down by it."""


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    """Everything the service needs is there."""

    status: Literal["ready"]
    unknown_types: Annotated[
        list[str], Field(description="job types that are taken and that no running worker knows: their jobs wait")
    ]


@router.get(
    "/healthz", response_model=Health, summary="Does the process live?", responses={200: describe.answer("It does")}
)
async def healthz(request: Request) -> Response:
    """Answer while the process lives, whatever else is away: a restart would not bring Redis back."""
    return Response(orjson.dumps({"status": "ok", "version": request.app.version}), 200, _LIVES, "application/json")


@router.get(
    "/readyz",
    response_model=Ready,
    summary="Can it serve?",
    responses={200: describe.answer("It can"), **describe.problems("not_ready")},
)
async def readyz(request: Request) -> Response:
    """Answer 200 when everything that the service needs is there, else 503 with what is missing.

    A job type that no running worker knows is named, and is no reason to take the API away from all others.
    """
    (redis, unknown), others = await asyncio.gather(_look_at_queue(request), _others_missing(request))
    if missing := {**redis, **others}:
        detail = "; ".join(f"{name}: {wrong}" for name, wrong in missing.items())
        raise Problem("not_ready", detail, headers={"Retry-After": "2"}, members={"missing": missing})
    return Response(orjson.dumps({"status": "ready", "unknown_types": unknown}), 200, _NO_STORE, "application/json")


async def _look_at_queue(request: Request) -> tuple[dict[str, str], list[str]]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            counts = await manager_of(request).counts()
    except (StoreUnavailableError, TimeoutError):
        return {"redis": "does not answer"}, []
    return {}, list(counts.unknown_types)


async def _others_missing(request: Request) -> dict[str, str]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return dict(await readiness_of(request)())
    except TimeoutError:
        return {"checks": f"not done within {_PATIENCE_SECONDS:.0f} s"}
