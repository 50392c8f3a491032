"""Routes that submit jobs: one, close to the metal, and several at once."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.body import read_json_object
from loresmith.api.credential import CredentialCheck
from loresmith.api.deps import BareRoute, access_of, manager_of
from loresmith.api.errors import unknown_job_type
from loresmith.api.forwarded import prefix_of
from loresmith.api.parameters import wait_seconds_of
from loresmith.api.representation import jobs_response, new_job_response
from loresmith.api.schemas import BatchAnswer, JobObject
from loresmith.api.submission import idempotency_key_of, parse_batch, parse_submission, submitter_of
from loresmith.api.waiting import until_ended
from loresmith.jobs import (
    FieldProblem,
    InvalidPayloadError,
    JobManager,
    JobView,
    Options,
    UnknownJobTypeError,
)

router = APIRouter(tags=["jobs"], route_class=BareRoute)

MOST_BATCH_BYTES: Final = 2 * 1024 * 1024
MOST_BATCH_VALUES: Final = 20_000

_PROBLEMS: Final = describe.problems(
    "bad_request",
    "invalid_json",
    "unknown_job_type",
    "invalid_payload",
    "payload_too_large",
    "unsupported_media_type",
    "idempotency_key_reused",
    "too_many_active_jobs",
    "queue_full",
    "store_unavailable",
)


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobObject,
    summary="Submit a job",
    openapi_extra={"parameters": [describe.IDEMPOTENCY_KEY, describe.PREFER_END]},
    responses={
        200: describe.answer(
            "It ended while the client waited", "Location", "ETag", "Idempotent-Replayed", model=JobObject
        ),
        202: describe.answer(
            "The job is stored and will run", "Location", "Retry-After", "ETag", "Idempotent-Replayed"
        ),
        **_PROBLEMS,
    },
)
async def submit_job(request: Request) -> Response:
    """Validate and store a job, and answer at once; a model is never waited for. After a 4xx no job exists.

    A request that is repeated with the same `Idempotency-Key` gets the job of the first one.
    """
    body = await read_json_object(request, most_bytes=access_of(request).limits.payload_bytes)
    submission = parse_submission(body, submitter_of(request))
    manager, key = manager_of(request), idempotency_key_of(request)
    view, replayed = await manager.submit(*submission, key=key)
    if seconds := wait_seconds_of(request):
        view = await until_ended(request, view.glance.id, seconds, CredentialCheck(request, submit_job.__name__))
        await manager.place(view)
    return new_job_response(view, prefix=prefix_of(request.scope), replayed=replayed, waited=bool(seconds))


@router.post(
    "/jobs/batch",
    status_code=202,
    response_model=BatchAnswer,
    summary="Submit several jobs",
    openapi_extra={"parameters": [describe.IDEMPOTENCY_KEY]},
    responses={
        202: describe.answer("All of them are stored and will run", "Cache-Control", "Idempotent-Replayed"),
        **_PROBLEMS,
    },
)
async def submit_batch(request: Request) -> Response:
    """Validate and store up to 100 jobs: all of them or none. The key, if there is one, stands for all."""
    body = await read_json_object(request, most_bytes=MOST_BATCH_BYTES, most_values=MOST_BATCH_VALUES)
    submissions = await parse_batch(body, submitter_of(request), manager_of(request).turns)
    access_of(request).guard.charge(request, len(submissions))
    key = idempotency_key_of(request)
    jobs, replayed = await _create_all(manager_of(request), submissions, key)
    views = [JobView.of_new(job) for job in jobs]
    if replayed:
        found = await manager_of(request).view_many([job.id for job in jobs])
        views = [again or view for again, view in zip(found, views, strict=True)]
    await manager_of(request).place(*views)
    answer = jobs_response(views, prefix=prefix_of(request.scope), name="jobs", status=202)
    if replayed:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


async def _create_all(
    manager: JobManager, submissions: list[tuple[str, object, Options]], key: str | None
) -> tuple[Any, bool]:
    """Create the jobs of a batch; what is wrong with one is pointed at."""
    for place, (name, _, _) in enumerate(submissions):
        try:
            manager.registry.get(name)
        except UnknownJobTypeError as error:
            raise unknown_job_type(error, pointer=f"/jobs/{place}/type") from None
    try:
        if key is not None:
            return await manager.create_all_once(submissions, key=key)
        return await manager.create_all(submissions), False
    except InvalidPayloadError as error:
        problems = [FieldProblem(f"/jobs{one.pointer}", one.code, one.detail) for one in error.problems]
        raise InvalidPayloadError(problems) from None
