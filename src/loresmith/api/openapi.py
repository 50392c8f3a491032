"""The OpenAPI 3.1 document: what FastAPI finds in the routes, made exact with the job types."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from loresmith.api import examples
from loresmith.api.errors import KINDS
from loresmith.api.schemas import InvalidParameterProblem, JobChange, JobItem, NotReadyProblem, ProblemObject
from loresmith.api.security import describe_guard
from loresmith.api.submission import MOST_JOBS, SubmitRequest
from loresmith.jobs import JobRegistry, JobType

_REF: Final = "#/components/schemas/"
_DESCRIPTION: Final = (
    "Jobs that a language model works on for 30 seconds to 2 minutes: submit one, get its id at once,"
    " poll it until it is done. Fields are only ever added; ignore those you do not know."
)


def build_openapi(app: FastAPI, registry: JobRegistry, *, public: Collection[str]) -> dict[str, Any]:
    """Return the document of an app that serves these job types; the operations in `public` ask nobody who calls."""
    document = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes, tags=app.openapi_tags
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    for model in (ProblemObject, NotReadyProblem, InvalidParameterProblem, JobChange, JobItem):
        schemas.update(_components(model.__name__, TypeAdapter(model), "", mode="serialization"))
    types = list(registry)
    common = SubmitRequest.model_json_schema(ref_template=f"{_REF}{{model}}")
    schemas.update(common.pop("$defs"))
    for kind in types:
        schemas.update(_schemas_of(kind, common))
    schemas["Submission"] = _union({kind.name: f"{pascal(kind.name)}Submit" for kind in types})
    schemas["BatchRequest"] = _batch()
    for name in ("JobObject", "JobChange"):
        _describe_job(schemas[name]["properties"], types)
    schemas["JobItem"]["properties"]["value"] = _any_item(types)
    _describe_operations(document["paths"], types)
    describe_guard(document, public)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["examples"] = {code: {"value": examples.problem(code)} for code in KINDS}
    return document


def _schemas_of(kind: JobType, common: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of a job type: payload, result, item, and a submit of it."""
    name = pascal(kind.name)
    schemas = _components(f"{name}Payload", TypeAdapter(kind.payload_model), name, mode="validation")
    schemas |= _components(f"{name}Result", kind.result, name, mode="serialization")
    if kind.item is not None:
        schemas |= _components(f"{name}Item", kind.item, name, mode="serialization")
    own = {"type": {"const": kind.name, "type": "string"}, "payload": _ref(f"{name}Payload")}
    schemas[f"{name}Submit"] = {
        **common,
        "title": f"{name}Submit",
        "description": kind.description,
        "properties": {**common["properties"], **own},
        "required": ["type", "payload"],
        "not": {"required": ["run_at", "delay_seconds"]},
        "examples": [examples.submission(kind)],
    }
    return schemas


def _components(name: str, model: "TypeAdapter[Any]", prefix: str, *, mode: Any) -> dict[str, Any]:
    """Return the schema of a model under `name`, those it refers to under `prefix` and their own names."""
    schema = model.json_schema(mode=mode, ref_template=f"{_REF}{prefix}{{model}}")
    inner = schema.pop("$defs", {})
    return {**{f"{prefix}{key}": value for key, value in inner.items()}, name: {**schema, "title": name}}


def _union(names: Mapping[str, str]) -> dict[str, Any]:
    """Return a union that is told apart by `type`."""
    return {
        "title": "Submission",
        "description": "A job to do, of one of the types that this server knows.",
        "oneOf": [_ref(name) for name in names.values()],
        "discriminator": {"propertyName": "type", "mapping": {key: _REF + name for key, name in names.items()}},
    }


def _batch() -> dict[str, Any]:
    jobs = {"type": "array", "items": _ref("Submission"), "minItems": 1, "maxItems": MOST_JOBS}
    return {
        "title": "BatchRequest",
        "description": "Jobs of which all are created or none.",
        "type": "object",
        "properties": {"jobs": jobs},
        "required": ["jobs"],
        "additionalProperties": False,
    }


def _describe_operations(paths: dict[str, Any], types: Sequence[JobType]) -> None:
    for path, model in (("/jobs", "Submission"), ("/jobs/batch", "BatchRequest")):
        paths[path]["post"]["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(model)}},
        }
    if types:
        paths["/jobs"]["post"]["requestBody"]["content"]["application/json"]["example"] = examples.submission(types[0])
        paths["/jobs"]["post"]["responses"]["202"]["content"]["application/json"]["example"] = examples.job(types[0], 1)


def _describe_job(properties: dict[str, Any], types: Iterable[JobType]) -> None:
    results = [_ref(f"{pascal(kind.name)}Result") for kind in types]
    properties["result"] = {"description": "null until completed", "anyOf": [*results, {"type": "null"}]}
    if "items" in properties:
        properties["items"]["items"] = _any_item(types)
        payloads = [_ref(f"{pascal(kind.name)}Payload") for kind in types]
        properties["payload"] = {"description": properties["payload"]["description"], "anyOf": payloads}


def _any_item(types: Iterable[JobType]) -> dict[str, Any]:
    items = [_ref(f"{pascal(kind.name)}Item") for kind in types if kind.item is not None]
    return {"anyOf": items} if items else {}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF + name}


def pascal(name: str) -> str:
    """Return `generate_characters` as `GenerateCharacters`."""
    return "".join(part.capitalize() for part in name.replace("-", "_").replace(".", "_").split("_"))
