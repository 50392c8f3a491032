"""The OpenAPI document: checked in as it is, true of what is sent, and readable as a page."""

import re
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker

from loresmith.api.errors import KINDS
from loresmith.jobs import Job
from scripts.gen_openapi import TARGET, generate

SUBMIT = {"type": "write_verses", "payload": {"about": "rain"}}
BAD = {"type": "write_verses", "payload": {"about": "", "colour": "red"}}


def check(document: dict[str, Any], name: str, value: Any) -> None:
    """Validate a value against a named schema of the document."""
    assert not complaints({**document, "$ref": f"#/components/schemas/{name}"}, value)


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    validator: Any = Draft202012Validator(schema, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(value)]


def test_the_checked_in_document_is_current() -> None:
    assert TARGET.read_bytes() == generate(), "run `make gen`"


def test_every_problem_is_in_the_manual() -> None:
    manual = TARGET.with_name("http-api.md").read_text(encoding="utf-8")
    rows = [f"| {kind.status} | `{code}` |" for code, kind in KINDS.items()]
    assert [row for row in rows if row not in manual] == []


def test_every_operation_is_in_the_manual(app: FastAPI) -> None:
    manual = TARGET.with_name("http-api.md").read_text(encoding="utf-8")
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    operations = {f"`{method.upper()} {path}`" for path, item in paths.items() for method in item}
    named = {each.replace("{job_id}", "{id}").replace("{world_id}", "{id}") for each in operations}
    assert {each for each in named if each not in manual} == set()


def test_every_field_of_a_job_is_described(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    shown = {*Job.__struct_fields__} - {"internal"}  # on jobs that clients never see
    assert set(schemas["JobChange"]["properties"]) == shown
    assert set(schemas["JobObject"]["properties"]) == {*shown, "items", "links", "queue", "payload"}


async def test_a_job_is_what_the_document_says(app: FastAPI, api: httpx2.AsyncClient) -> None:
    job = (await api.post("/jobs", json=SUBMIT)).json()
    check(app.openapi(), "JobObject", job)


@pytest.mark.parametrize(
    ("path", "name"), [("/job-types", "JobTypeList"), ("/healthz", "Health"), ("/readyz", "Ready")]
)
async def test_other_answers_are_what_the_document_says(
    app: FastAPI, api: httpx2.AsyncClient, path: str, name: str
) -> None:
    check(app.openapi(), name, (await api.get(path)).json())


async def test_a_problem_is_what_the_document_says(app: FastAPI, api: httpx2.AsyncClient) -> None:
    check(app.openapi(), "ProblemObject", (await api.post("/jobs", json=BAD)).json())
    check(app.openapi(), "ProblemObject", (await api.get("/nowhere")).json())


async def test_a_submission_is_one_of_the_job_types(app: FastAPI) -> None:
    document = app.openapi()
    body = document["components"]["schemas"]["Submission"]
    schema = {**document, **body}
    assert body["discriminator"]["mapping"]["write_verses"] == "#/components/schemas/WriteVersesSubmit"
    assert not complaints(schema, SUBMIT)
    assert complaints(schema, BAD)
    assert complaints(schema, {**SUBMIT, "colour": "red"})
    assert complaints(schema, {"type": "unknown", "payload": {}})


def test_every_documented_answer_is_one_that_the_api_gives(app: FastAPI) -> None:
    operations = [one for path in app.openapi()["paths"].values() for one in path.values()]
    statuses = {status for operation in operations for status in operation["responses"]}
    assert statuses <= {"200", "201", "202", "204", "304", *(str(kind.status) for kind in KINDS.values())}
    assert all(len(operation["operationId"]) < 20 for operation in operations)


async def test_the_document_is_served(app: FastAPI, api: httpx2.AsyncClient) -> None:
    served = (await api.get("/openapi.json")).json()
    assert served["openapi"].startswith("3.1")
    assert served == msgspec.to_builtins(app.openapi())


async def test_the_page_shows_every_operation_and_loads_nothing(app: FastAPI, api: httpx2.AsyncClient) -> None:
    answer = await api.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'; style-src 'sha256-" in answer.headers["content-security-policy"]
    for path in app.openapi()["paths"]:
        assert path in answer.text
    assert not re.search(r"<script|\bsrc=|https?://", answer.text)
    targets = set(re.findall(r'href="#([^"]+)"', answer.text))
    assert targets <= set(re.findall(r'id="([^"]+)"', answer.text))
