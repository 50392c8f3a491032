"""The route that tells what came of the webhook of a job."""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import BareRoute, job_id_of, manager_of, viewer_of, webhooks_of
from loresmith.api.representation import JSON
from loresmith.api.webhooks import WebhookLog

router = APIRouter(tags=["jobs"], route_class=BareRoute)


@router.get(
    "/jobs/{job_id}/webhooks",
    response_model=WebhookLog,
    summary="Read what came of a webhook",
    openapi_extra={"parameters": [describe.JOB_ID]},
    responses={
        200: describe.answer("Whom the job tells of its end, and each try so far", "Cache-Control"),
        **describe.problems("job_not_found", "store_unavailable"),
    },
)
async def read_webhooks(request: Request) -> Response:
    """Return what was tried when, with which outcome, and when the next try is due; kept as long as the job."""
    job, attached = await manager_of(request).attached(job_id_of(request), owner=viewer_of(request))
    log = await webhooks_of(request).log_of(job, attached)
    body = orjson.dumps(log.model_dump(), option=orjson.OPT_UTC_Z)
    return Response(body, 200, {"Cache-Control": "private, no-cache"}, JSON)
