"""Routes of the web page: its own paths, and never one of the API."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.deps import PublicRoute
from loresmith.api.page import PATHS

router = APIRouter(route_class=PublicRoute, include_in_schema=False)


async def show_page(request: Request) -> Response:
    """Return the page."""
    return await request.app.state.page.document(request.scope)


@router.get("/icon.svg")
async def icon(request: Request) -> Response:
    """Return its icon."""
    return await request.app.state.page.icon(request.scope)


for path in PATHS:
    router.add_api_route(path, show_page, methods=["GET"])
