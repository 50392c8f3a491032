"""Server-sent events: how events of a job go over the wire."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from loresmith.api.credential import CredentialCheck
from loresmith.api.refreshed import AwayError
from loresmith.api.representation import add_links
from loresmith.jobs import Event, JobFollower

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 10.0
_HEARTBEAT: Final = b": still here\n\n"
_RETRY: Final = b"retry: 1000\n"
_CLOSED: Final = b'event: closed\ndata: {"reason":"%b"}\n\n'
_HEADERS: Final = {"Cache-Control": "private, no-cache", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """The events of a job until it ends; however the answer ends, the following of the job ends with it."""

    def __init__(
        self, job_id: str, follower: JobFollower, check: CredentialCheck, held: AsyncExitStack, *, prefix: str
    ) -> None:
        super().__init__(_chunks(job_id, follower, check, prefix), 200, _HEADERS, MEDIA_TYPE)
        self._follower = follower
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the job, the client or the process is at its end; Starlette's own takes a third more memory."""
        if "head" in scope:
            await self._held.aclose()
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        leaving = asyncio.create_task(self._end_when_gone(receive))
        try:
            await self.stream_response(send)
        finally:
            leaving.cancel()
            await self._held.aclose()

    async def _end_when_gone(self, receive: Receive) -> None:
        await self.listen_for_disconnect(receive)
        self._follower.watch.close()


async def _chunks(job_id: str, follower: JobFollower, check: CredentialCheck, prefix: str) -> AsyncGenerator[bytes]:
    """Yield events as they come, and a comment when none came for 10 s, so that no proxy closes the connection.

    Once the credential has ended, `closed` is the last event. While it cannot be checked any more, the stream just
    ends: a client that comes back gets the answer that every request gets then.
    """
    yield _RETRY
    while True:
        event = await follower.next(min(HEARTBEAT_SECONDS, check.due_seconds))
        try:
            reason = await check.ended()
        except AwayError:
            return
        if reason is not None:
            yield _CLOSED % reason.encode()
            return
        if event is not None:
            yield write_event(event, job_id, prefix)
        elif follower.is_over:
            return
        else:
            yield _HEARTBEAT


def write_event(event: Event, job_id: str, prefix: str) -> bytes:
    """Return an event as bytes. JSON has no line break in it, so that it is one line of data."""
    data = add_links(event.data, job_id, prefix) if event.is_whole else event.data
    seq = b"" if event.seq is None else b"id: %d\n" % event.seq
    return b"event: %b\n%bdata: %b\n\n" % (event.name.encode(), seq, data)
