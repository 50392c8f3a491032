"""Answers that are held back until there is something to tell, or the client has waited long enough or gone."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from loresmith.api.credential import CredentialCheck
from loresmith.api.deps import manager_of, viewer_of
from loresmith.jobs import Event, EventName, JobFollower, JobView

T = TypeVar("T")


async def until_changed(
    request: Request, view: JobView, seconds: float, check: CredentialCheck, *, payload: bool
) -> JobView:
    """Return the job once it is another than this view, at the latest after some seconds, as it is then.

    Raises Problem once the credential of the request has ended.
    """
    return await _unless_gone(request, _changed(request, view, seconds, check, payload=payload))


async def until_ended(request: Request, job_id: str, seconds: float, check: CredentialCheck) -> JobView:
    """Return the job once it has ended, at the latest after some seconds, as it is then. Raises as `until_changed`."""
    return await _unless_gone(request, _ended(request, job_id, seconds, check))


async def _changed(
    request: Request, view: JobView, seconds: float, check: CredentialCheck, *, payload: bool
) -> JobView:
    manager, owner = manager_of(request), viewer_of(request)
    async with manager.following(view.glance.id, owner=owner, after=view.glance.seq) as follower:
        await _next(follower, time.monotonic() + seconds, check)
    return await manager.view(view.glance.id, owner=owner, payload=payload)


async def _ended(request: Request, job_id: str, seconds: float, check: CredentialCheck) -> JobView:
    manager, owner = manager_of(request), viewer_of(request)
    ends = time.monotonic() + seconds
    async with manager.following(job_id, owner=owner) as follower:
        while (event := await _next(follower, ends, check)) is not None:
            if event.name is EventName.DONE:
                break
    return await manager.view(job_id, owner=owner)


async def _next(follower: JobFollower, ends: float, check: CredentialCheck) -> Event | None:
    """Return the next event, None when there is none until `ends`. Raises Problem once the credential has ended."""
    while True:
        event = await follower.next(min(ends - time.monotonic(), check.due_seconds))
        await check.require()
        if event is not None or follower.is_over or time.monotonic() >= ends:
            return event


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work, unless the client leaves before it is done. Raises ClientDisconnect."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
