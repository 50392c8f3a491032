"""Answers that are held back until there is something to tell, or the client has waited long enough or gone."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from loresmith.api.deps import manager_of, viewer_of
from loresmith.jobs import EventName, JobView

T = TypeVar("T")


async def until_changed(request: Request, view: JobView, seconds: float, *, payload: bool) -> JobView:
    """Return the job once it is another than this view, at the latest after some seconds, as it is then."""
    return await _unless_gone(request, _changed(request, view, seconds, payload=payload))


async def until_ended(request: Request, job_id: str, seconds: float) -> JobView:
    """Return the job once it has ended, at the latest after some seconds, as it is then."""
    return await _unless_gone(request, _ended(request, job_id, seconds))


async def _changed(request: Request, view: JobView, seconds: float, *, payload: bool) -> JobView:
    manager, owner = manager_of(request), viewer_of(request)
    async with manager.following(view.glance.id, owner=owner, after=view.glance.seq) as follower:
        await follower.next(seconds)
    return await manager.view(view.glance.id, owner=owner, payload=payload)


async def _ended(request: Request, job_id: str, seconds: float) -> JobView:
    manager, owner = manager_of(request), viewer_of(request)
    ends = time.monotonic() + seconds
    async with manager.following(job_id, owner=owner) as follower:
        while (event := await follower.next(ends - time.monotonic())) is not None:
            if event.name is EventName.DONE:
                break
    return await manager.view(job_id, owner=owner)


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
