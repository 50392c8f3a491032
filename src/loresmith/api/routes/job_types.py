"""The route that lists the job types."""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import BareRoute
from loresmith.api.schemas import JobTypeList, JobTypeObject
from loresmith.jobs import JobRegistry, JobType

router = APIRouter(tags=["job types"], route_class=BareRoute)


@router.get(
    "/job-types",
    response_model=JobTypeList,
    summary="List the job types",
    openapi_extra={"parameters": [describe.IF_NONE_MATCH]},
    responses={
        200: describe.answer("All of them", "ETag", "Cache-Control"),
        304: describe.answer("The client has them already", "ETag", "Cache-Control"),
    },
)
async def list_job_types(request: Request) -> Response:
    """Return each type of job with the JSON schema of its payload and of one item of its result."""
    return await request.app.state.documents.job_types.answer(request)


def render_job_types(registry: JobRegistry) -> bytes:
    """Return the list as JSON; making the schemas takes tens of milliseconds."""
    return orjson.dumps({"data": [_job_type(kind).model_dump() for kind in registry]})


def _job_type(kind: JobType) -> JobTypeObject:
    return JobTypeObject(
        name=kind.name,
        description=kind.description,
        payload_schema=kind.payload_model.model_json_schema(),
        item_schema=kind.item.json_schema(mode="serialization") if kind.item else None,
        expected_seconds=kind.expected_seconds,
    )
