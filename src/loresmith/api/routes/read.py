"""Routes that read jobs: one, close to the metal, several by id, and a listing."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from loresmith.api import describe
from loresmith.api.credential import CredentialCheck
from loresmith.api.deps import BareRoute, access_of, header_of, job_id_of, manager_of, viewer_of
from loresmith.api.forwarded import prefix_of
from loresmith.api.ids import canonical_id
from loresmith.api.parameters import ids_of, listing_of, matches, wait_seconds_of, wants_payload
from loresmith.api.representation import JobResponse, NotModifiedResponse, jobs_response
from loresmith.api.schemas import JobList, JobObject
from loresmith.api.waiting import until_changed

_JOBS_OF_A_REQUEST: Final = 20
"""Reading so many jobs for a list counts as a request."""

router = APIRouter(tags=["jobs"], route_class=BareRoute)


@router.get(
    "/jobs/{job_id}",
    response_model=JobObject,
    summary="Read a job",
    openapi_extra={
        "parameters": [describe.JOB_ID, describe.IF_NONE_MATCH, describe.PREFER_CHANGE, describe.INCLUDE],
    },
    responses={
        200: describe.answer("The job as it is now", "Retry-After", "ETag", "Cache-Control"),
        304: describe.answer("The client has this version already", "Retry-After", "ETag", "Cache-Control"),
        **describe.problems("bad_request", "job_not_found", "store_unavailable"),
    },
)
async def read_job(request: Request) -> Response:
    """Return the job with its progress, and its result once it is completed. Made to be polled.

    With `If-None-Match` and `Prefer: wait=N` the answer is held back until there is something new.
    """
    manager = manager_of(request)
    payload = bool(request.scope["query_string"]) and wants_payload(request)
    view = await manager.view(job_id_of(request), owner=viewer_of(request), payload=payload)
    if tags := header_of(request, b"if-none-match"):
        seconds = wait_seconds_of(request)
        if seconds and not view.glance.done and matches(tags, view.glance.seq):
            check = CredentialCheck(request, read_job.__name__)
            view = await until_changed(request, view, seconds, check, payload=payload)
        if matches(tags, view.glance.seq):
            return NotModifiedResponse(view)
    await manager.place(view)
    return JobResponse(view, prefix=prefix_of(request.scope))


@router.get(
    "/jobs",
    response_model=JobList,
    summary="List jobs",
    openapi_extra={"parameters": describe.LISTING},
    responses={
        200: describe.answer("A page of them, or those that were asked for", "Cache-Control"),
        **describe.problems("bad_request", "store_unavailable"),
    },
)
async def list_jobs(request: Request) -> Response:
    """Return jobs, newest first, or with `ids` these jobs and which of them are `missing`."""
    manager, owner, guard = manager_of(request), viewer_of(request), access_of(request).guard
    ids = ids_of(request)
    if ids is None:
        page = await manager.list(listing_of(request), owner=owner)
        guard.charge(request, page.looked_at // _JOBS_OF_A_REQUEST, done=True)
        await manager.place(*page.jobs)
        return jobs_response(page.jobs, prefix=prefix_of(request.scope), next_cursor=page.next_cursor)
    guard.charge(request, len(ids) // _JOBS_OF_A_REQUEST)
    asked = {canonical_id(one): one for one in ids}
    found = await manager.view_many(list(asked), owner=owner)
    views = [view for view in found if view is not None]
    await manager.place(*views)
    missing = [written for written, view in zip(asked.values(), found, strict=True) if view is None]
    return jobs_response(views, prefix=prefix_of(request.scope), missing=missing)
