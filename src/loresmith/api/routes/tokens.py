"""The route that gives out tokens for one job, for browsers."""

from typing import Final

import orjson
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.body import read_json_object
from loresmith.api.deps import BareRoute, access_of, job_id_of, manager_of, viewer_of
from loresmith.api.job_tokens import TokenObject, TokenRequest
from loresmith.api.representation import JSON
from loresmith.api.submission import wrong_fields

router = APIRouter(tags=["jobs"], route_class=BareRoute)

_MOST_BYTES: Final = 1024
_BODY: Final = {
    "required": False,
    "content": {JSON: {"schema": TokenRequest.model_json_schema(), "example": {"scope": "cancel"}}},
}


@router.post(
    "/jobs/{job_id}/tokens",
    status_code=201,
    response_model=TokenObject,
    summary="Make a token for a job",
    openapi_extra={"parameters": [describe.JOB_ID], "requestBody": _BODY},
    responses={
        201: describe.answer("A token that works for 15 minutes", "Cache-Control"),
        **describe.problems(
            "invalid_json",
            "invalid_payload",
            "job_not_found",
            "payload_too_large",
            "unsupported_media_type",
            "auth_unavailable",
            "store_unavailable",
        ),
    },
)
async def create_token(request: Request) -> Response:
    """Return a token with which a browser may read and follow this job, or cancel it too, and nothing else."""
    body = await read_json_object(request, most_bytes=_MOST_BYTES, required=False)
    try:
        asked = TokenRequest.model_validate(body)
    except ValidationError as error:
        raise wrong_fields(error) from None
    job = await manager_of(request).get(job_id_of(request), owner=viewer_of(request))
    token = await access_of(request).job_tokens.issue(job.id, job.owner, asked.scope)
    return Response(orjson.dumps(token.model_dump(), option=orjson.OPT_UTC_Z), 201, {"Cache-Control": "no-store"}, JSON)
