"""What `loresmith.jobs.testing` tells about a handler."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from loresmith.jobs import InvalidPayloadError, JobContext, PermanentError, job_type
from loresmith.jobs.testing import try_job


class Count(BaseModel):
    """A payload."""

    count: int = Field(ge=1)


@job_type("counting")
async def counting(ctx: JobContext[Count]) -> list[Any]:
    for index in range(ctx.payload.count):
        if index == 3:
            raise PermanentError("three is too many", code="output_invalid")
        if index not in ctx.items:
            await ctx.save_item(index, {"index": index, "attempt": ctx.attempt})
        ctx.report((index + 1) / ctx.payload.count, f"Counting {index}...")
    ctx.finalizing("Finalizing...")
    ctx.add_usage(model="m", input_tokens=1, output_tokens=2)
    return [ctx.items[index] for index in range(ctx.payload.count)]


async def test_a_trial_tells_result_items_progress_and_usage() -> None:
    trial = await try_job(counting, {"count": 2})
    assert trial.result == [{"index": 0, "attempt": 1}, {"index": 1, "attempt": 1}]
    assert trial.progress == [49, 79, 90]
    assert trial.messages == ["Counting 0...", "Counting 1...", "Finalizing..."]
    assert trial.usage
    assert trial.usage.output_tokens == 2


async def test_a_trial_goes_on_after_earlier_items() -> None:
    trial = await try_job(counting, {"count": 2}, items={0: {"index": 0, "attempt": 1}}, attempt=2)
    assert [item["attempt"] for item in trial.result] == [1, 2]


async def test_a_trial_tells_why_it_failed_and_what_was_saved() -> None:
    trial = await try_job(counting, {"count": 4})
    assert trial.error
    assert trial.error.code == "output_invalid"
    assert sorted(trial.items) == [0, 1, 2]


async def test_a_trial_refuses_a_payload_as_a_submit_does() -> None:
    with pytest.raises(InvalidPayloadError, match="/payload/count"):
        await try_job(counting, {"count": "2"})
