"""Routes of saved worlds: list, read and delete the caller's own; an admin's are everybody's."""

from typing import Any, Final

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.body import BYTES_OF_A_REQUEST
from loresmith.api.deps import BareRoute, access_of, manager_of, viewer_of, worlds_of
from loresmith.api.errors import invalid_parameter
from loresmith.api.forwarded import prefix_of
from loresmith.api.ids import is_canonical_id
from loresmith.api.schemas import WorldList, WorldObject
from loresmith.db import MOST_LISTED, CursorError, World, WorldSummary

router = APIRouter(tags=["worlds"], route_class=BareRoute)

_USUAL_LIMIT: Final = 20
_HEADERS: Final = {"Cache-Control": "private, no-cache"}


@router.get(
    "/worlds",
    response_model=WorldList,
    summary="List the worlds",
    openapi_extra={"parameters": describe.WORLDS_LISTING},
    responses={
        200: describe.answer("Some of them, newest first"),
        **describe.problems("invalid_parameter", "store_unavailable"),
    },
)
async def list_worlds(request: Request) -> Response:
    """Return the caller's worlds without their stories, newest first, page by page."""
    try:
        page = await worlds_of(request).list(
            owner=viewer_of(request), limit=_limit(request), cursor=request.query_params.get("cursor")
        )
    except CursorError as error:
        raise invalid_parameter("cursor", str(error)) from None
    summaries = [_summary(world, prefix_of(request.scope)) for world in page.worlds]
    return _answer(request, {"data": summaries, "next_cursor": page.next_cursor})


@router.get(
    "/worlds/{world_id}",
    response_model=WorldObject,
    summary="Read a world",
    openapi_extra={"parameters": [describe.WORLD_ID]},
    responses={
        200: describe.answer("The world"),
        **describe.problems("invalid_parameter", "world_not_found", "store_unavailable"),
    },
)
async def read_world(request: Request) -> Response:
    """Return a world with its story, its quest and its pieces. It never changes."""
    world = await worlds_of(request).get(_id(request), owner=viewer_of(request))
    await manager_of(request).turns.take()
    return _answer(request, _world(world, prefix_of(request.scope)))


@router.delete(
    "/worlds/{world_id}",
    status_code=204,
    summary="Delete a world",
    openapi_extra={"parameters": [describe.WORLD_ID]},
    responses={
        204: describe.answer("It is gone"),
        **describe.problems("invalid_parameter", "world_not_found", "store_unavailable"),
    },
)
async def delete_world(request: Request) -> Response:
    """Delete a world for good."""
    await worlds_of(request).delete(_id(request), owner=viewer_of(request))
    return Response(None, 204)


def _id(request: Request) -> str:
    """Return the id in the path, which the route has in its canonical form. Raises Problem for what is no UUID."""
    text: str = request.path_params["world_id"]
    if is_canonical_id(text):
        return text
    raise invalid_parameter("world_id", "expected the id of a world, a UUID")


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(_USUAL_LIMIT))
    if text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MOST_LISTED:
        return int(text)
    raise invalid_parameter("limit", f"expected a number from 1 to {MOST_LISTED}")


def _answer(request: Request, document: dict[str, Any]) -> Response:
    body = orjson.dumps(document, option=orjson.OPT_UTC_Z)
    access_of(request).guard.charge(request, len(body) // BYTES_OF_A_REQUEST, done=True)
    return Response(body, 200, _HEADERS, "application/json")


def _summary(world: WorldSummary, prefix: str) -> dict[str, Any]:
    return {
        "id": world.id,
        "title": world.title,
        "theme": world.theme,
        "user_id": world.user_id,
        "job_id": world.job_id,
        "created_at": world.created_at,
        "links": {"self": f"{prefix}/worlds/{world.id}"},
    }


def _world(world: World, prefix: str) -> dict[str, Any]:
    quest = world.quest
    return {
        **_summary(world, prefix),
        "story": world.story,
        "quest": {"title": quest.title, "description": quest.description, "stages": list(quest.stages)},
        "pieces": [
            {"type": one.kind, "name": one.name, "description": one.description, "details": one.details}
            for one in world.pieces
        ],
    }
