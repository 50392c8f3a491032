"""Building blocks with which routes describe themselves in the OpenAPI document."""

from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel

from loresmith.api.errors import KINDS, MEDIA_TYPE
from loresmith.api.schemas import InvalidParameterProblem, NotReadyProblem, ProblemObject
from loresmith.db import MOST_LISTED
from loresmith.jobs import EventName, State, Status

Schema = dict[str, Any]


def _parameter(name: str, place: str, description: str, schema: Schema, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": schema,
        **more,
    }


_TEXT: Final[Schema] = {"type": "string"}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_SEQ: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 10**15}
_PREFER: Final = _TEXT

JOB_ID: Final = _parameter("job_id", "path", "the `id` of a job", {"type": "string", "format": "uuid"})
WORLD_ID: Final = {**JOB_ID, "name": "world_id", "description": "the `id` of a world"}
QUEUE_NAME: Final = _parameter("name", "path", "the name of a queue", {"type": "string", "examples": ["default"]})
IF_NONE_MATCH: Final = _parameter("If-None-Match", "header", "the ETag of an earlier answer", _TEXT)
IDEMPOTENCY_KEY: Final = _parameter(
    "Idempotency-Key",
    "header",
    "any value that stands for this request: repeated with it, the request makes nothing new",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
)
PREFER_END: Final = _parameter(
    "Prefer", "header", "`wait=N`: hold the answer back until the job has ended, N seconds (60 at most)", _PREFER
)
PREFER_CHANGE: Final = _parameter(
    "Prefer", "header", "`wait=N`, with `If-None-Match`: hold the answer back until the job has changed", _PREFER
)
INCLUDE: Final = _parameter("include", "query", "what to add", {"type": "string", "enum": ["payload"]})
AFTER: Final = _parameter("after", "query", "as Last-Event-ID, for clients that cannot send it", _SEQ)
LAST_EVENT_ID: Final = _parameter("Last-Event-ID", "header", "the id of the last event that the client has", _TEXT)
LISTING: Final = [
    _parameter("status", "query", "only jobs with this status", {"type": "string", "enum": list(Status)}),
    _parameter("state", "query", "only jobs in this state", {"type": "string", "enum": list(State)}),
    _parameter("type", "query", "only jobs of this type", _TEXT),
    _parameter("tag", "query", "only jobs with this tag", _TEXT),
    _parameter("created_after", "query", "only jobs created after this time", _MOMENT),
    _parameter("cursor", "query", "the `next_cursor` of the page before", _TEXT),
    _parameter("limit", "query", "jobs on a page", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
    _parameter("ids", "query", "these jobs, up to 100 ids with commas between them; with no other parameter", _TEXT),
]
WORLDS_LISTING: Final = [
    _parameter(
        "limit", "query", "worlds on a page", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": 20}
    ),
    _parameter("cursor", "query", "the `next_cursor` of the page before", _TEXT),
]

_MODELS: Final = {"not_ready": NotReadyProblem, "invalid_parameter": InvalidParameterProblem}
"""Problems with members of their own."""
_HEADERS: Final[dict[str, tuple[str, Schema]]] = {
    "Location": ("address of the job", {"type": "string", "format": "uri-reference"}),
    "Retry-After": ("seconds to wait before the next look", {"type": "integer", "minimum": 0}),
    "ETag": ('W/"<seq>"', {"type": "string"}),
    "Idempotent-Replayed": ("the job was there before: the key had been used", {"type": "string", "const": "true"}),
    "Cache-Control": ("nobody keeps it but the client, who asks again", {"type": "string"}),
    "WWW-Authenticate": ("how to show who calls (RFC 6750)", {"type": "string"}),
    "RateLimit-Policy": ('`"owner";q=…;w=…`: q requests at once, and as many again within w s', {"type": "string"}),
    "RateLimit": ('`"owner";r=…;t=…`: r more requests at once, all of them again in t s', {"type": "string"}),
    "X-Request-Id": ("the client's id of this request, or one made for it", {"type": "string"}),
}


def answer(description: str, *headers: str, model: type[BaseModel] | None = None) -> dict[str, Any]:
    """Describe an answer that is not a problem; with a model where it is not the first of its route."""
    described = {"description": description, "headers": _described((*headers, "X-Request-Id"))}
    return described if model is None else {**described, "model": model}


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe the problems with these codes, by status."""
    by_status = sorted(codes, key=lambda code: KINDS[code].status)
    return {status: _problem(list(group)) for status, group in groupby(by_status, lambda code: KINDS[code].status)}


def _problem(codes: list[str]) -> dict[str, Any]:
    retryable = any(KINDS[code].retryable for code in codes)
    own = ("WWW-Authenticate",) if codes == ["unauthorized"] else ("Retry-After",) if retryable else ()
    models = dict.fromkeys(_MODELS.get(code, ProblemObject).__name__ for code in codes)
    schemas = [{"$ref": f"#/components/schemas/{name}"} for name in models]
    return {
        "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes),
        "headers": _described((*own, "X-Request-Id")),
        "content": {
            MEDIA_TYPE: {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _described(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name][0], "schema": _HEADERS[name][1]} for name in names}


RATE: Final = _described(("RateLimit-Policy", "RateLimit"))
"""Sent where there is a quota."""
RATE_REFS: Final = {name: {"$ref": f"#/components/headers/{name}"} for name in RATE}
EVENT_STREAM: Final = {
    **answer("Events until the job ends, with a comment whenever there was none for 10 s", "Cache-Control"),
    "content": {
        "text/event-stream": {
            "schema": {
                "description": "one event; the data of `snapshot` and `done` is a JobObject, that of `status`"
                " and `progress` a JobChange, that of `item` a JobItem; that of `closed` has a `reason`: `expired`,"
                " `revoked` or `changed`, said of the caller's key or token",
                "type": "object",
                "properties": {
                    "event": {"type": "string", "enum": [*EventName, "closed"]},
                    "id": {"type": "string", "description": "the `seq` of the change; on the last event of each"},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                    "retry": {"type": "integer", "description": "ms to wait before coming back"},
                },
                "required": ["event", "data"],
            },
            "example": 'event: item\ndata: {"index": 0, "value": {…}}\n\nevent: progress\nid: 7\ndata: {…}\n\n',
        }
    },
}
