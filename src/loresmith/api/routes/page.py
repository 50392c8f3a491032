"""Routes of the web page: its own paths, and never one of the API."""

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.deps import PublicRoute, header_of
from loresmith.api.forwarded import prefix_of
from loresmith.api.page import PATHS, Page

router = APIRouter(route_class=PublicRoute, include_in_schema=False)


async def show_page(request: Request) -> Response:
    """Return the page. Raises HTTPException for a path that this server's has not."""
    page: Page = request.app.state.page
    if not page.has(request.scope["route"].path):
        raise HTTPException(404)
    return page.document(prefix=prefix_of(request.scope), if_none_match=header_of(request, b"if-none-match"))


@router.get("/icon.svg")
async def icon(request: Request) -> Response:
    """Return its icon."""
    page: Page = request.app.state.page
    return await page.icon(request.scope)


for path in PATHS:
    router.add_api_route(path, show_page, methods=["GET"])
