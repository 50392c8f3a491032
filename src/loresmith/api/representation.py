"""How a job is sent: the stored document as bytes, with its links, and the headers that follow from it."""

from typing import Final

import msgspec
from starlette.responses import Response

from loresmith.jobs import Job


class Glance(msgspec.Struct):
    """The few fields of a stored document that headers need; the rest is skipped, not built."""

    id: str
    seq: int
    done: bool
    poll_after_ms: int


_glance: Final = msgspec.json.Decoder(Glance).decode
_encode: Final = msgspec.json.Encoder().encode


def new_job_response(job: Job) -> Response:
    """Return the answer to a submit: 202 with the job."""
    document = b'%b,"items":[]}' % _encode(job)[:-1]
    headers = {**_headers(job), "Location": job_path(job.id)}
    return Response(_with_links(document, job.id), 202, headers, "application/json")


def job_response(document: bytes, *, if_none_match: str = "") -> Response:
    """Return the answer to a read: 200 with the job, or 304 when the client has this `seq` already."""
    glance = _glance(document)
    headers = _headers(glance)
    if if_none_match and _matches(if_none_match, headers["ETag"]):
        return Response(None, 304, headers)
    return Response(_with_links(document, glance.id), 200, headers, "application/json")


def job_path(job_id: str) -> str:
    """Return the address of a job."""
    return f"/jobs/{job_id}"


def _headers(job: Job | Glance) -> dict[str, str]:
    headers = {"ETag": f'W/"{job.seq}"', "Cache-Control": "private, no-cache"}
    if not job.done:
        headers["Retry-After"] = str(-(-job.poll_after_ms // 1000))
    return headers


def _with_links(document: bytes, job_id: str) -> bytes:
    return b'%b,"links":{"self":"%b"}}' % (document[:-1], job_path(job_id).encode())


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly (RFC 9110, 13.1.2): `W/` does not count."""
    offered = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag.removeprefix("W/") in offered or "*" in offered
