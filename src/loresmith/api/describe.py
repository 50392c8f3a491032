"""Building blocks with which routes describe themselves in the OpenAPI document."""

from itertools import groupby
from typing import Any, Final

from loresmith.api.errors import KINDS, MEDIA_TYPE
from loresmith.api.schemas import InvalidParameterProblem, NotReadyProblem, ProblemObject
from loresmith.db import MOST_LISTED

JOB_ID: Final = {
    "name": "job_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of an earlier answer",
    "schema": {"type": "string"},
}
WORLD_ID: Final = {**JOB_ID, "name": "world_id"}
LIMIT: Final = {
    "name": "limit",
    "in": "query",
    "required": False,
    "description": "worlds at the most",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": 20},
}
CURSOR: Final = {
    "name": "cursor",
    "in": "query",
    "required": False,
    "description": "`next_cursor` of the page before",
    "schema": {"type": "string"},
}
_MODELS: Final = {"not_ready": NotReadyProblem, "invalid_parameter": InvalidParameterProblem}
"""Problems with members of their own."""
_HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "Location": ("address of the job", {"type": "string", "format": "uri-reference"}),
    "Retry-After": ("seconds to wait before the next look", {"type": "integer", "minimum": 0}),
    "ETag": ('W/"<seq>"', {"type": "string"}),
    "X-Request-Id": ("the client's id of this request, or one made for it", {"type": "string"}),
}


def answer(description: str, *headers: str) -> dict[str, Any]:
    """Describe an answer that is not a problem."""
    return {"description": description, "headers": _described((*headers, "X-Request-Id"))}


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe the problems with these codes, by status."""
    by_status = sorted(codes, key=lambda code: KINDS[code].status)
    return {status: _problem(list(group)) for status, group in groupby(by_status, lambda code: KINDS[code].status)}


def _problem(codes: list[str]) -> dict[str, Any]:
    retryable = any(KINDS[code].retryable for code in codes)
    model = _MODELS.get(codes[0], ProblemObject) if len(codes) == 1 else ProblemObject
    return {
        "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes),
        "headers": _described(("Retry-After", "X-Request-Id") if retryable else ("X-Request-Id",)),
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }


def _described(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name][0], "schema": _HEADERS[name][1]} for name in names}
