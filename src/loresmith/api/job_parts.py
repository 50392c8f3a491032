"""Parts of a job object that are objects themselves, for the OpenAPI document."""

from typing import Annotated

from pydantic import BaseModel, Field

Whole = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


class ErrorDetail(BaseModel):
    """Why a job failed, for programs."""

    code: str
    message: str
    retryable: bool
    retry_after_seconds: Seconds | None


class Spent(BaseModel):
    """Tokens and their price."""

    input_tokens: Whole
    output_tokens: Whole
    cost_usd: Seconds | None


class Usage(Spent):
    """What the job has cost so far, over all its attempts."""

    model: str | None
    wasted: Spent | None = Field(description="the part of it that nothing came of: calls that failed or were cut off")
    in_flight: Spent | None = Field(description="beside it: what calls under way have used so far")


class Waiting(BaseModel):
    """A service that the job waits for; waits cost no attempt."""

    code: str
    reason: str
    times: Whole = Field(description="looks in a row that found it down")


class Eta(BaseModel):
    """Seconds from `updated_at` until the job ends: the estimate and its 80 % interval."""

    seconds: Seconds
    low: Seconds
    high: Seconds
