"""How a job is sent: the stored document as bytes, with its links, and the headers that follow from it."""

from collections.abc import Sequence
from typing import Final

import orjson
from starlette.responses import Response

from loresmith.jobs import JobView

JSON: Final = "application/json"

_JSON_TYPE: Final = (b"content-type", JSON.encode())
_PRIVATE: Final = (b"cache-control", b"private, no-cache")


class JobResponse(Response):
    """A job as it is sent; its headers are put together here, at a third of what Starlette takes."""

    def __init__(
        self, view: JobView, status: int = 200, *, prefix: str, more: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        self.status_code = status
        self.background = None
        self.body = with_links(view, prefix)
        self.raw_headers = [*_headers(view), _JSON_TYPE, (b"content-length", b"%d" % len(self.body)), *more]


class NotModifiedResponse(Response):
    """The headers of a job that the client has already."""

    def __init__(self, view: JobView) -> None:
        self.status_code = 304
        self.background = None
        self.body = b""
        self.raw_headers = _headers(view)


def new_job_response(view: JobView, *, prefix: str, replayed: bool = False, waited: bool = False) -> Response:
    """Return the answer to a submit: 202 with the job, or 200 when the client waited for its end and it came."""
    more = [(b"location", job_path(view.glance.id, prefix).encode())]
    if replayed:
        more.append((b"idempotent-replayed", b"true"))
    return JobResponse(view, 200 if waited and view.glance.done else 202, prefix=prefix, more=more)


def jobs_response(
    views: Sequence[JobView], *, prefix: str, name: str = "data", status: int = 200, **members: object
) -> Response:
    """Return `{"data": [...], ...}` with jobs and further members."""
    more = b"".join(b",%b:%b" % (orjson.dumps(key), orjson.dumps(value)) for key, value in members.items())
    body = b'{"%b":[%b]%b}' % (name.encode(), b",".join(with_links(view, prefix) for view in views), more)
    return Response(body, status, {"Cache-Control": "private, no-cache"}, JSON)


def job_path(job_id: str, prefix: str) -> str:
    """Return the address of a job, below the path prefix under which the client sees the API."""
    return f"{prefix}/jobs/{job_id}"


def _headers(view: JobView) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer that tells of a job."""
    seen = view.glance
    headers = [(b"etag", b'W/"%d"' % seen.seq), _PRIVATE]
    if not seen.done:
        headers.append((b"retry-after", b"%d" % -(-seen.poll_after_ms // 1000)))
    return headers


def with_links(view: JobView, prefix: str = "") -> bytes:
    """Return a whole job as it is sent."""
    return add_links(view.body, view.glance.id, prefix)


def add_links(body: bytes, job_id: str, prefix: str) -> bytes:
    """Return a whole job with its links as the last field."""
    path = job_path(job_id, prefix).encode()
    return b'%b,"links":{"self":"%b","events":"%b/events","cancel":"%b/cancel"}}' % (body[:-1], path, path, path)
