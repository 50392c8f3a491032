"""The route for Prometheus; no part of the API, so the document of that does not have it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.deps import BareRoute, manager_of, require_admin, telemetry_of
from loresmith.api.scraping import scraped

router = APIRouter(route_class=BareRoute, include_in_schema=False)


@router.get("/metrics")
async def read_metrics(request: Request) -> Response:
    """Return the metrics of this process to an admin; where nobody is asked who they are, to everybody."""
    require_admin(request)
    return await scraped(request, telemetry_of(request).metrics, manager_of(request).counts)
