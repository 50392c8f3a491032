"""Routes that describe the API: for programs and for people."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from loresmith.api.deps import PublicRoute
from loresmith.api.forwarded import prefix_of
from loresmith.api.reference import CONTENT_POLICY, render

router = APIRouter(route_class=PublicRoute, include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document."""
    document, prefix = request.app.openapi(), prefix_of(request.scope)
    shown = {**document, "servers": [{"url": prefix}]} if prefix else document
    return JSONResponse(shown, headers={"Cache-Control": "no-cache"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the same as a page."""
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": CONTENT_POLICY}
    return HTMLResponse(render(request.app.openapi(), prefix_of(request.scope)), headers=headers)
