"""The route that tells callers who they are: whose their jobs and worlds will be."""

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import BareRoute, caller_of
from loresmith.api.representation import JSON

router = APIRouter(tags=["callers"], route_class=BareRoute)


class Me(BaseModel):
    """The caller."""

    owner: str = Field(description="whose the jobs are that the caller submits, and what `user_id` must be")
    admin: bool = Field(description="whether everybody's jobs and worlds may be seen and acted on")


@router.get(
    "/me",
    response_model=Me,
    summary="Who the caller is",
    responses={200: describe.answer("The owner that the key or token stands for", "Cache-Control")},
)
async def read_me(request: Request) -> Response:
    """Return who the caller is; where nobody is asked that, the local owner, whose `user_id` may be anything."""
    caller = caller_of(request)
    body = Me(owner=caller.owner, admin=caller.admin)
    return Response(orjson.dumps(body.model_dump()), 200, {"Cache-Control": "no-store"}, JSON)
