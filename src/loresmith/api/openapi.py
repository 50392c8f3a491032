"""The OpenAPI 3.1 document: what FastAPI finds in the routes, made exact with the job types."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from loresmith.api.schemas import InvalidParameterProblem, NotReadyProblem, ProblemObject
from loresmith.jobs import JobRegistry, JobType

_REF: Final = "#/components/schemas/"
_DESCRIPTION: Final = (
    "Jobs that a language model works on for 30 seconds to 2 minutes: submit one, get its id at once,"
    " poll it until it is done. Fields are only ever added; ignore those you do not know."
)


def build_openapi(app: FastAPI, registry: JobRegistry) -> dict[str, Any]:
    """Return the document of an app that serves these job types."""
    document = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes, tags=app.openapi_tags
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    for model in (ProblemObject, NotReadyProblem, InvalidParameterProblem):
        schemas.update(_components(model.__name__, TypeAdapter(model), "", mode="serialization"))
    types = list(registry)
    for kind in types:
        schemas.update(_schemas_of(kind))
    _describe_submit(document["paths"]["/jobs"]["post"], types)
    _describe_job(schemas["JobObject"]["properties"], types)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _schemas_of(kind: JobType) -> dict[str, Any]:
    name = pascal(kind.name)
    schemas = _components(f"{name}Payload", TypeAdapter(kind.payload_model), name, mode="validation")
    schemas |= _components(f"{name}Result", kind.result, name, mode="serialization")
    if kind.item_model is not None:
        schemas |= _components(f"{name}Item", TypeAdapter(kind.item_model), name, mode="serialization")
    schemas[f"{name}Submit"] = {
        "title": f"{name}Submit",
        "description": kind.description,
        "type": "object",
        "properties": {"type": {"const": kind.name, "type": "string"}, "payload": _ref(f"{name}Payload")},
        "required": ["type", "payload"],
        "additionalProperties": False,
    }
    return schemas


def _components(name: str, model: "TypeAdapter[Any]", prefix: str, *, mode: Any) -> dict[str, Any]:
    """Return the schema of a model under `name`, those it refers to under `prefix` and their own names."""
    schema = model.json_schema(mode=mode, ref_template=f"{_REF}{prefix}{{model}}")
    inner = schema.pop("$defs", {})
    return {**{f"{prefix}{key}": value for key, value in inner.items()}, name: {**schema, "title": name}}


def _describe_submit(operation: dict[str, Any], types: Iterable[JobType]) -> None:
    names = {kind.name: f"{pascal(kind.name)}Submit" for kind in types}
    schema = {
        "oneOf": [_ref(name) for name in names.values()],
        "discriminator": {"propertyName": "type", "mapping": {key: _REF + name for key, name in names.items()}},
    }
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}


def _describe_job(properties: dict[str, Any], types: Iterable[JobType]) -> None:
    results = [_ref(f"{pascal(kind.name)}Result") for kind in types]
    items = [_ref(f"{pascal(kind.name)}Item") for kind in types if kind.item_model is not None]
    properties["result"] = {"description": "null until completed", "anyOf": [*results, {"type": "null"}]}
    properties["items"]["items"] = {"anyOf": items} if items else {}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF + name}


def pascal(name: str) -> str:
    """Return `generate_characters` as `GenerateCharacters`."""
    return "".join(part.capitalize() for part in name.replace("-", "_").replace(".", "_").split("_"))
