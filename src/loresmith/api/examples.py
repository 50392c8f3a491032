"""Examples for the OpenAPI document: what a client sends and what it gets, the same at each generation."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from loresmith.api.errors import KINDS, Problem, problem_response
from loresmith.api.representation import with_links
from loresmith.jobs import FieldProblem, Job, JobType, JobView, State, Status

_ID: Final = "42ce702c-cf43-4f18-bc1f-2e7989eb8455"
_CREATED: Final = "2026-01-31T12:00:00.000Z"
_OWNER: Final = "25bf8e1a2393f1108d37029b3df55932"
_MEMBERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "not_ready": {"missing": {"redis": "does not answer"}},
    "invalid_parameter": {"parameter": "limit"},
}


def job(kind: JobType, position: int | None) -> dict[str, Any]:
    """Return a job of this type that was just submitted."""
    stored = Job(
        id=_ID,
        type=kind.name,
        status=Status.PENDING,
        state=State.QUEUED,
        created_at=_CREATED,
        updated_at=_CREATED,
        owner=_OWNER,
    )
    view = JobView(msgspec.json.encode(stored))
    view.position = position
    return orjson.loads(with_links(view))


def submission(kind: JobType) -> dict[str, Any]:
    """Return a submit of this type: what its payload model gives as an example, else the required fields' first."""
    schema = kind.payload_model.model_json_schema()
    return {"type": kind.name, "payload": (schema.get("examples") or [_required(schema)])[0]}


def _required(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _example(schema["properties"][name], schema) for name in schema.get("required", ())}
    return {name: value for name, value in found.items() if value is not None}


def _example(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if "examples" in schema or "enum" in schema:
        return [*schema.get("examples", ()), *schema.get("enum", ())][0]
    of_type: dict[str, Any] = {"string": "…", "integer": schema.get("minimum", 1), "array": [], "object": {}}
    return of_type.get(schema.get("type", ""))


def problem(code: str) -> dict[str, Any]:
    """Return a problem with this code."""
    errors = [FieldProblem("/payload/count", "less_than_equal", "Input should be less than or equal to 10")]
    shown = Problem(
        code,
        KINDS[code].title.lower(),
        errors if code == "invalid_payload" else (),
        members=_MEMBERS.get(code, {}),
    )
    return orjson.loads(bytes(problem_response(shown, request_id="d90c372bd97b9c01").body))
