"""Routes that describe the API: for programs and for people."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.deps import PublicRoute

router = APIRouter(route_class=PublicRoute, include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document."""
    return await request.app.state.documents.openapi.answer(request)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the same as a page."""
    return await request.app.state.documents.docs.answer(request)
