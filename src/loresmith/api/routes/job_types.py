"""The route that lists the job types."""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import BareRoute, manager_of
from loresmith.api.schemas import JobTypeList, JobTypeObject
from loresmith.jobs import JobType

router = APIRouter(tags=["job types"], route_class=BareRoute)


@router.get(
    "/job-types",
    response_model=JobTypeList,
    summary="List the job types",
    responses={200: describe.answer("All of them")},
)
async def list_job_types(request: Request) -> Response:
    """Return each type of job with the JSON schema of its payload and of one item of its result."""
    listed = [_job_type(kind).model_dump() for kind in manager_of(request).registry]
    return Response(orjson.dumps({"data": listed}), 200, {"Cache-Control": "no-cache"}, "application/json")


def _job_type(kind: JobType) -> JobTypeObject:
    return JobTypeObject(
        name=kind.name,
        description=kind.description,
        payload_schema=kind.payload_model.model_json_schema(),
        item_schema=kind.item.json_schema(mode="serialization") if kind.item else None,
        expected_seconds=kind.expected_seconds,
    )
