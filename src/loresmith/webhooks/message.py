"""The body of a webhook: what happened, when, and the job as `GET /jobs/{id}` shows it."""

from typing import Any, Final

import orjson

from loresmith.jobs import JobView

MOST_BYTES: Final = 256 * 1024
"""Of a body; what a job made is left out of one that would be larger."""


def body_of(view: JobView, event: str, root_path: str) -> bytes:
    """Return the body that tells of the end of a job; the same in every try.

    `data.links.self` is where to fetch the job, below the path under which the API is seen. Where the body
    would be too large, `result` is null, `items` is empty, and `omitted` names them.
    """
    job: dict[str, Any] = orjson.loads(view.body)
    path = f"{root_path}/jobs/{view.glance.id}"
    job["links"] = {"self": path, "events": f"{path}/events", "cancel": f"{path}/cancel"}
    message: dict[str, Any] = {"type": event, "timestamp": job["completed_at"], "data": job}
    body = orjson.dumps(message)
    if len(body) <= MOST_BYTES:
        return body
    job |= {"result": None, "items": []}
    return orjson.dumps({**message, "omitted": ["result", "items"], "fetch": path})
