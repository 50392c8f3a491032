"""Routes that do something with a job: cancel, retry, delete."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.deps import BareRoute, job_id_of, manager_of, viewer_of
from loresmith.api.forwarded import prefix_of
from loresmith.api.representation import JobResponse, new_job_response
from loresmith.api.schemas import JobObject

router = APIRouter(tags=["jobs"], route_class=BareRoute)


@router.post(
    "/jobs/{job_id}/cancel",
    response_model=JobObject,
    summary="Cancel a job",
    openapi_extra={"parameters": [describe.JOB_ID]},
    responses={
        200: describe.answer("It has ended: as cancelled, or as it had before", "ETag", "Cache-Control"),
        202: describe.answer("It is being stopped", "Retry-After", "ETag", "Cache-Control", model=JobObject),
        **describe.problems("job_not_found", "store_unavailable"),
    },
)
async def cancel_job(request: Request) -> Response:
    """Stop a job. A job that waits ends at once, one that runs within seconds; one that has ended stays as it is."""
    manager, owner = manager_of(request), viewer_of(request)
    job = await manager.cancel(job_id_of(request), owner=owner)
    view = await manager.view(job.id, owner=owner)
    return JobResponse(view, 200 if view.glance.done else 202, prefix=prefix_of(request.scope))


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    response_model=JobObject,
    summary="Retry a failed job",
    openapi_extra={"parameters": [describe.JOB_ID]},
    responses={
        202: describe.answer("A new job goes on where it failed", "Location", "Retry-After", "ETag", "Cache-Control"),
        **describe.problems(
            "unknown_job_type",
            "job_not_found",
            "job_not_failed",
            "too_many_active_jobs",
            "queue_full",
            "store_unavailable",
        ),
    },
)
async def retry_job(request: Request) -> Response:
    """Make a new job of one that failed or was cancelled; items that were finished are not made again.

    While such a job is open, another retry returns that one.
    """
    manager, owner = manager_of(request), viewer_of(request)
    job = await manager.retry(job_id_of(request), owner=owner)
    view = await manager.view(job.id, owner=owner)
    await manager.place(view)
    return new_job_response(view, prefix=prefix_of(request.scope))


@router.delete(
    "/jobs/{job_id}",
    status_code=204,
    summary="Delete a job",
    openapi_extra={"parameters": [describe.JOB_ID]},
    responses={
        204: describe.answer("It is gone, and so is what its idempotency key stood for"),
        **describe.problems("job_not_found", "job_not_ended", "store_unavailable"),
    },
)
async def delete_job(request: Request) -> Response:
    """Forget a job that has ended, before its 24 hours are over."""
    await manager_of(request).delete(job_id_of(request), owner=viewer_of(request))
    return Response(None, 204)
