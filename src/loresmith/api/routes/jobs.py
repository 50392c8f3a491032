"""Routes of jobs: submit and read, close to the metal."""

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.body import read_json_object
from loresmith.api.deps import BareRoute, job_id_of, manager_of
from loresmith.api.representation import job_response, new_job_response
from loresmith.api.schemas import JobObject, SubmitRequest
from loresmith.jobs import FieldProblem, InvalidPayloadError

router = APIRouter(tags=["jobs"], route_class=BareRoute)


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobObject,
    summary="Submit a job",
    responses={
        202: describe.answer("The job is stored and will run", "Location", "Retry-After", "ETag"),
        **describe.problems(
            "invalid_json",
            "unknown_job_type",
            "invalid_payload",
            "payload_too_large",
            "unsupported_media_type",
            "queue_full",
            "store_unavailable",
        ),
    },
)
async def submit_job(request: Request) -> Response:
    """Validate and store a job, and answer at once; a model is never waited for. After a 4xx no job exists."""
    submission = _submission(await read_json_object(request))
    job = await manager_of(request).create(submission.type, submission.payload)
    return new_job_response(job)


def _submission(body: dict[str, object]) -> SubmitRequest:
    try:
        return SubmitRequest.model_validate(body)
    except ValidationError as error:
        raise InvalidPayloadError(
            [
                FieldProblem(f"/{_escape(str(one['loc'][0]))}", one["type"], one["msg"])
                for one in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from None


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


@router.get(
    "/jobs/{job_id}",
    response_model=JobObject,
    summary="Read a job",
    openapi_extra={"parameters": [describe.JOB_ID, describe.IF_NONE_MATCH]},
    responses={
        200: describe.answer("The job as it is now", "Retry-After", "ETag"),
        304: describe.answer("The client has this version already", "Retry-After", "ETag"),
        **describe.problems("job_not_found", "store_unavailable"),
    },
)
async def read_job(request: Request) -> Response:
    """Return the job with its progress, and its result once it is completed. Made to be polled."""
    document = await manager_of(request).read(job_id_of(request))
    return job_response(document, if_none_match=request.headers.get("if-none-match", ""))
