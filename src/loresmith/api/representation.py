"""How a job is sent: the stored document as bytes, with its links, and the headers that follow from it."""

from collections.abc import Sequence
from typing import Final

import msgspec
import orjson
from starlette.responses import Response

from loresmith.jobs import Job, JobView

JSON: Final = "application/json"
_encode: Final = msgspec.json.Encoder().encode


def new_job_response(view: JobView, *, replayed: bool = False, waited: bool = False) -> Response:
    """Return the answer to a submit: 202 with the job, or 200 when the client waited for its end and it came."""
    headers = {**headers_of(view), "Location": job_path(view.glance.id)}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(with_links(view), 200 if waited and view.glance.done else 202, headers, JSON)


def job_response(view: JobView, status: int = 200) -> Response:
    """Return the answer to a read."""
    return Response(with_links(view), status, headers_of(view), JSON)


def jobs_response(views: Sequence[JobView], *, name: str = "data", status: int = 200, **members: object) -> Response:
    """Return `{"data": [...], ...}` with jobs and further members."""
    more = b"".join(b",%b:%b" % (orjson.dumps(key), orjson.dumps(value)) for key, value in members.items())
    body = b'{"%b":[%b]%b}' % (name.encode(), b",".join(with_links(view) for view in views), more)
    return Response(body, status, {"Cache-Control": "private, no-cache"}, JSON)


def view_of_new(job: Job) -> JobView:
    """Return the view of a job that was just created."""
    return JobView(_encode(job))


def job_path(job_id: str) -> str:
    """Return the address of a job."""
    return f"/jobs/{job_id}"


def headers_of(view: JobView) -> dict[str, str]:
    """Return the headers of an answer that shows a job."""
    seen = view.glance
    headers = {"ETag": f'W/"{seen.seq}"', "Cache-Control": "private, no-cache"}
    if not seen.done:
        headers["Retry-After"] = str(-(-seen.poll_after_ms // 1000))
    return headers


def with_links(view: JobView) -> bytes:
    """Return a whole job as it is sent."""
    return add_links(view.body, view.glance.id)


def add_links(body: bytes, job_id: str) -> bytes:
    """Return a whole job with its links as the last field."""
    path = job_path(job_id).encode()
    return b'%b,"links":{"self":"%b","events":"%b/events","cancel":"%b/cancel"}}' % (body[:-1], path, path, path)
