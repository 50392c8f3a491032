"""The route that streams what happens to a job."""

from contextlib import AsyncExitStack

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from loresmith.api import describe
from loresmith.api.credential import CredentialCheck
from loresmith.api.deps import BareRoute, job_id_of, manager_of, viewer_of
from loresmith.api.event_stream import EventStream
from loresmith.api.forwarded import prefix_of
from loresmith.api.parameters import last_event_of

router = APIRouter(tags=["jobs"], route_class=BareRoute)


@router.get(
    "/jobs/{job_id}/events",
    response_class=StreamingResponse,
    summary="Follow a job",
    openapi_extra={"parameters": [describe.JOB_ID, describe.LAST_EVENT_ID, describe.AFTER]},
    responses={
        200: describe.EVENT_STREAM,
        204: describe.answer("The client has seen the end: it need not come back"),
        **describe.problems("bad_request", "job_not_found", "store_unavailable"),
    },
)
async def follow_job(request: Request) -> Response:
    """Stream the job's changes until it ends. A client that goes away cancels nothing.

    `snapshot` and `done` have the whole job, `status` and `progress` all but its items, `item` one finished item.
    The id of an event is the job's `seq`, on the last event that a change makes; who comes back with it in
    `Last-Event-ID` goes on there, or gets a fresh `snapshot`, which replaces all that came before.
    When the key or token ends meanwhile, `closed` with its `reason` is the last event.
    """
    job_id, after = job_id_of(request), last_event_of(request)
    check = CredentialCheck(request, follow_job.__name__)
    async with AsyncExitStack() as stack:
        following = manager_of(request).following(job_id, owner=viewer_of(request), after=after)
        follower = await stack.enter_async_context(following)
        if follower.has_nothing_to_tell:
            return Response(None, 204)
        return EventStream(job_id, follower, check, stack.pop_all(), prefix=prefix_of(request.scope))
