"""What goes over the wire, for the OpenAPI document: jobs are sent as stored, so these describe and never build."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from loresmith.jobs import Priority, State, Status

Whole = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Missing = SkipJsonSchema[None]
"""A field that may be absent, but is never null."""
Moment = Annotated[datetime, Field(description="RFC 3339, UTC")]


class SubmitRequest(BaseModel):
    """A job to do."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str = Field(description="one of `GET /job-types`")
    payload: dict[str, Any] = Field(description="what this type of job needs")


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


class Eta(BaseModel):
    """Seconds until the job ends: the estimate and its 80 % interval."""

    seconds: Seconds
    low: Seconds
    high: Seconds


class Links(BaseModel):
    """Addresses that belong to the object."""

    self: str


class JobObject(BaseModel):
    """A job. `error`, `error_detail` and `completed_at` are absent until it has ended; more fields may come."""

    id: UUID
    type: str
    status: Status = Field(description="closed at these four values for ever; `completed` and `failed` are final")
    state: str = Field(description="says more than `status`; more values may come", examples=list(State))
    done: bool = Field(description="the job has ended and never changes again")
    seq: int = Field(ge=1, description="grows by one with every visible change; also the ETag")
    progress: int = Field(ge=0, le=100, description="percent; never goes back, 100 means completed")
    progress_source: Literal["measured", "simulated", "none"]
    fraction: Annotated[float, Field(ge=0, le=1)] | None = Field(description="share of the generation that is done")
    message: str = Field(description="what is going on, for people")
    result: Any = Field(description="null until completed")
    error: str | Missing = Field(None, description="only on failed jobs: why, for people")
    error_detail: ErrorDetail | Missing = Field(None, description="only on failed jobs")
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None
    completed_at: Moment | Missing = Field(None, description="only on jobs that have ended, failed ones included")
    expires_at: Moment | None = Field(description="null until the job has ended")
    eta: Eta | None
    attempt: Whole
    max_attempts: Whole
    rescues: Whole = Field(description="how often the job was taken over from a worker that died")
    usage: Usage | None
    priority: Priority
    retry_of: UUID | None
    metadata: dict[str, Any]
    tags: list[str]
    poll_after_ms: Whole = Field(description="when to look again")
    v: int = Field(description="version of this object's schema")
    items: list[Any] = Field(description="finished items, until the result has them")
    links: Links


class FieldError(BaseModel):
    """What is wrong with one field."""

    pointer: str = Field(description="JSON pointer into the request body (RFC 6901)", examples=["/payload/count"])
    code: str
    detail: str


class ProblemObject(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["urn:problem-type:loresmith:invalid_payload"])
    title: str
    status: int
    detail: str
    code: str = Field(description="stable, for programs")
    retryable: bool
    request_id: str
    errors: list[FieldError]


class NotReadyProblem(ProblemObject):
    """The problem of a service that lacks something it needs."""

    missing: dict[str, str] = Field(description="name of what is missing → what is wrong with it")


class InvalidParameterProblem(ProblemObject):
    """The problem of a parameter of the path or the query that is wrong."""

    parameter: str = Field(description="its name", examples=["limit"])


class PieceObject(BaseModel):
    """A piece of lore."""

    type: str = Field(description="`character`, `faction`, `setting`, `event` or `relic`; more may come")
    name: str
    description: str
    details: dict[str, Any] = Field(description="differ per type")


class QuestObject(BaseModel):
    """What there is to do in a world."""

    title: str
    description: str
    stages: list[str]


class WorldSummaryObject(BaseModel):
    """A saved world, as it is listed."""

    id: UUID
    title: str
    theme: str
    user_id: str = Field(description="as it was given to the job, as text")
    job_id: UUID = Field(description="the job that made it; forgotten 24 h after it ended")
    created_at: Moment
    links: Links


class WorldObject(WorldSummaryObject):
    """A saved world."""

    story: str = Field(description="paragraphs, with a blank line between them")
    quest: QuestObject
    pieces: list[PieceObject]


class WorldList(BaseModel):
    """Some saved worlds, newest first."""

    data: list[WorldSummaryObject]
    next_cursor: str | None = Field(description="gives the next page; null on the last")


class JobTypeObject(BaseModel):
    """One type of job that can be submitted."""

    name: str
    description: str
    payload_schema: dict[str, Any] = Field(description="JSON schema of `payload`")
    item_schema: dict[str, Any] | None = Field(description="JSON schema of one item of `items`")
    expected_seconds: Seconds


class JobTypeList(BaseModel):
    """The types of job that this server knows."""

    data: list[JobTypeObject]


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    """Everything the service needs is there."""

    status: Literal["ready"]
