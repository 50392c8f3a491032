"""The test kit judges as production does, and needs neither Redis nor a model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from loresmith import JobContext, generate, generate_items, job_type
from loresmith.jobs import InvalidPayloadError
from loresmith.testing import GenerationError, GenerationRequest, ScriptedModel, try_job


class Product(BaseModel):
    features: list[str] = Field(max_length=3)


class Description(BaseModel):
    title: str = Field(max_length=20)
    stars: int = Field(ge=1, le=5)


@job_type("describe")
async def describe(ctx: JobContext[Product]) -> Description:
    return await generate(ctx, Description, f"Describe {ctx.payload.features}")


@job_type("describe_many")
async def describe_many(ctx: JobContext[Product]) -> list[Description]:
    return await generate_items(ctx, Description, "Describe", count=len(ctx.payload.features), distinct_by="title")


@job_type("forgetful")
async def forgetful(ctx: JobContext[Product]) -> str:
    raise KeyError("nobody foresaw this")


GOOD = {"title": "A lamp", "stars": 5}
PAYLOAD = {"features": ["bright"]}


async def test_a_job_is_tried_with_made_up_answers() -> None:
    first, again = [await try_job(describe, PAYLOAD) for _ in range(2)]

    assert first.error is None
    assert Description.model_validate(first.result)
    assert first.result == again.result


async def test_items_are_distinct_with_made_up_answers() -> None:
    trial = await try_job(describe_many, {"features": ["a", "b", "c"]})

    assert len({item["title"] for item in trial.result}) == 3
    assert sorted(trial.items) == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({**GOOD, "title": "x" * 21}, "at /title: 'x"),
        ({**GOOD, "stars": 6}, "at /stars: 6 is greater than the maximum of 5"),
        ({"title": "A lamp"}, "'stars' is a required property"),
    ],
)
async def test_an_answer_that_breaks_its_schema_is_an_error(wrong: dict[str, Any], named: str) -> None:
    model = ScriptedModel(lambda _: wrong)

    trial = await try_job(describe, PAYLOAD, model=model)

    assert trial.result is None
    assert trial.error
    assert trial.error.code == "output_invalid"
    assert named in trial.error.message


async def test_an_answer_that_is_right_the_second_time_is_taken() -> None:
    answers = iter([{**GOOD, "stars": 6}, GOOD])

    trial = await try_job(describe, PAYLOAD, model=lambda _: next(answers))

    assert trial.result == GOOD


async def test_members_that_the_schema_does_not_have_are_dropped() -> None:
    trial = await try_job(describe, PAYLOAD, model=lambda _: {**GOOD, "thoughts": "hm"})

    assert trial.result == GOOD


async def test_an_error_of_the_model_is_the_error_of_the_trial() -> None:
    def refuse(request: GenerationRequest) -> GenerationError:
        return GenerationError("content_refused", "the model refused")

    trial = await try_job(describe, PAYLOAD, model=refuse)

    assert trial.error
    assert (trial.error.code, trial.error.message) == ("content_refused", "The model refused")


async def test_an_exception_that_nobody_foresaw_is_raised() -> None:
    with pytest.raises(KeyError, match="nobody foresaw this"):
        await try_job(forgetful, PAYLOAD)


async def test_a_payload_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidPayloadError, match="/payload/features"):
        await try_job(describe, {"features": "bright"})


def test_a_trial_opens_no_connection(tmp_path: Path) -> None:
    """A process in which sockets cannot connect tries a job."""
    program = """
import asyncio, socket
socket.socket.connect = socket.socket.connect_ex = None
from tests.unit.test_testing import PAYLOAD, describe
from loresmith.testing import try_job
print(asyncio.run(try_job(describe, PAYLOAD)).error)
"""
    root = Path(__file__).parents[2]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root)}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr
