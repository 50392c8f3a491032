"""Test kit for job types: one attempt at a job as a worker makes it, without Redis and without a model.

    from loresmith.testing import try_job

    async def test_a_quest_has_a_title() -> None:
        trial = await try_job(generate_quests, {"theme": "fantasy"})

        assert trial.error is None
        assert trial.result[0]["title"]

Payload, answers of the model, items and result are validated as they are in production; an answer that breaks its
schema is sent back once, and then is the error `output_invalid`. An exception of the handler that nobody foresaw, which
ends a job as `internal`, is raised, so that a test shows its trace.
"""

import hashlib
import json
from collections.abc import Mapping
from random import Random
from typing import Any

from loresmith.bootstrap import classify
from loresmith.generation import GenerationError
from loresmith.jobs import JobType
from loresmith.jobs.testing import Trial
from loresmith.jobs.testing import try_job as try_attempt
from loresmith.llm.fake import Interrupted, Script, ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm_service.fake_text import Writer
from loresmith.llm_service.schema import output_schema

__all__ = ["GenerationError", "GenerationRequest", "Interrupted", "ScriptedModel", "Trial", "make_answer", "try_job"]


def make_answer(request: GenerationRequest) -> dict[str, Any]:
    """Return made-up values that satisfy the schema of a request; the same for the same request."""
    digest = hashlib.sha256(f"{request.prompt}\n{request.purpose}".encode()).digest()
    answer: Any = Writer(request.output_schema, Random(int.from_bytes(digest))).value(request.output_schema)
    return answer


class ScriptedModel(ScriptedLoreModel):
    """A model that answers each request with what `script` returns for it: an object, or a GenerationError to raise.

    Its answers are validated, and asked for once more, as the lore service does. `requests` holds what it was asked.
    """

    def __init__(self, script: Script = make_answer, *, streams: bool = True) -> None:
        super().__init__(lambda request: _judged(script, request), streams=streams)


def _judged(script: Script, request: GenerationRequest) -> dict[str, Any] | BaseException | Interrupted:
    """Return an answer that satisfies the schema of its request, or an error."""
    schema = output_schema(request.output_schema)
    problems = ""
    for _ in range(1 + request.repairs):
        answer = script(request)
        if not isinstance(answer, dict):
            return answer
        verdict = schema.judge(json.dumps(answer))
        if verdict.valid:
            return json.loads(verdict.json)
        problems = "; ".join(verdict.problems)
    return GenerationError("output_invalid", f"the output of the scripted model breaks its schema: {problems}")


async def try_job(
    kind: JobType,
    payload: object,
    *,
    model: LoreModel | Script = make_answer,
    resources: Mapping[type, object] | None = None,
    items: Mapping[int, Any] | None = None,
    steps: Mapping[str, Any] | None = None,
    attempt: int = 1,
    job_id: str | None = None,
) -> Trial:
    """Run one attempt at a job and return what came of it.

    Args:
        payload: A JSON value, as clients submit it.
        model: The model, or the script of one: a function from a request to its answer; by default made-up values.
        resources: What else the handler asks for with `ctx.resource`.
        items: Finished items of an earlier attempt, by index.
        steps: Finished steps of an earlier attempt, by name.
        attempt: The number of this attempt.

    Raises:
        InvalidPayloadError: The payload does not fit; the API would answer 400.
    """
    scripted = model if isinstance(model, LoreModel) else ScriptedModel(model)
    return await try_attempt(
        kind,
        payload,
        resources={LoreModel: scripted, **(resources or {})},
        items=items,
        steps=steps,
        attempt=attempt,
        job_id=job_id,
        classify=classify,
    )
