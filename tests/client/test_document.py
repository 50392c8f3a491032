"""The document of the API is exact enough for a generator, and this client's models agree with it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import orjson
import pytest

from loresmith.client import models

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
PAIRS: dict[type[msgspec.Struct], str] = {
    models.Job: "JobObject",
    models.ErrorDetail: "ErrorDetail",
    models.Eta: "Eta",
    models.Usage: "Usage",
    models.JobType: "JobTypeObject",
    models.Stats: "StatsObject",
    models.QueueStats: "QueueStats",
    models.WorkerStats: "WorkerStats",
    models.TypeStats: "TypeStats",
    models.WorldSummary: "WorldSummaryObject",
    models.World: "WorldObject",
    models.Quest: "QuestObject",
    models.Piece: "PieceObject",
}
_LEFT_OUT = {"links", "v"}
"""What the typed models do not have: addresses that the client knows, and the version of the object."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A module of Pydantic models, generated from the document."""
    path = tmp_path_factory.mktemp("generated") / "generated_client.py"
    program = str(Path(sys.executable).with_name("datamodel-codegen"))
    words = f"--input {DOCUMENT} --input-file-type openapi --openapi-scopes schemas paths --output {path}"
    kind = "--output-model-type pydantic_v2.BaseModel --target-python-version 3.11"
    style = "--formatters builtin --set-default-enum-member"
    subprocess.run([program, *words.split(), *kind.split(), *style.split()], check=True, capture_output=True)
    spec = importlib.util.spec_from_file_location("generated_client", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


async def test_a_generated_client_submits_and_reads_jobs(generated: Any, api: httpx2.AsyncClient) -> None:
    submit = generated.GenerateCharactersSubmit.model_validate(
        {"type": "generate_characters", "payload": {"theme": "fantasy", "count": 3}, "delay_seconds": 60}
    )
    body = submit.model_dump_json(exclude_none=True)
    answer = await api.post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202, answer.text
    job = generated.JobObject.model_validate_json(answer.content)
    assert job.status.value == "pending"
    cancelled = await api.post(f"/jobs/{job.id}/cancel")
    assert generated.JobObject.model_validate_json(cancelled.content).error_detail.code == "cancelled"
    listed = generated.JobList.model_validate_json((await api.get("/jobs")).content)
    assert [one.done for one in listed.data] == [True]


async def test_a_generated_client_reads_everything_else(generated: Any, api: httpx2.AsyncClient) -> None:
    assert generated.JobTypeList.model_validate_json((await api.get("/job-types")).content).data
    assert generated.StatsObject.model_validate_json((await api.get("/stats")).content).queues
    assert generated.WorldList.model_validate_json((await api.get("/worlds")).content).data == []
    refused = await api.post("/jobs", json={"type": "generate_characters", "payload": {"count": 11}})
    problem = generated.ProblemObject.model_validate_json(refused.content)
    assert (problem.code, len(problem.errors)) == ("invalid_payload", 2)


def test_a_generated_client_refuses_what_the_server_would(generated: Any) -> None:
    with pytest.raises(ValueError, match="count"):
        generated.GenerateCharactersPayload.model_validate({"theme": "fantasy", "count": 11})


@pytest.mark.parametrize("model", PAIRS, ids=lambda model: model.__name__)
def test_the_models_of_the_client_have_the_fields_of_the_document(model: type[msgspec.Struct]) -> None:
    schema = orjson.loads(DOCUMENT.read_bytes())["components"]["schemas"][PAIRS[model]]
    fields = {field.encode_name: field for field in msgspec.structs.fields(model) if field.name != "document"}
    assert fields.keys() == schema["properties"].keys() - _LEFT_OUT
    needed = {name for name, field in fields.items() if field.required}
    assert needed <= set(schema["required"])
