"""What goes over the wire, for the OpenAPI document: jobs are sent as stored, so these describe and never build."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from loresmith.api.job_parts import ErrorDetail, Eta, Seconds, Usage, Waiting, Whole
from loresmith.jobs import Priority, State, Status

Missing = SkipJsonSchema[None]
"""A field that may be absent, but is never null."""
Moment = Annotated[datetime, Field(description="RFC 3339, UTC")]


class Links(BaseModel):
    """Addresses that belong to the job."""

    self: str
    events: str = Field(description="its changes as they happen (server-sent events)")
    cancel: str


class Queue(BaseModel):
    """Where a job waits."""

    position: int = Field(ge=1, description="about how many start before it, itself included; priorities do not count")
    expected_start: Moment | None = Field(
        description="about when it starts, by the rate at which jobs ended in the last 5 minutes; null if too few did"
    )


class JobChange(BaseModel):
    """A job without what is not sent with every event: items, links, place in the queue."""

    id: UUID
    type: str
    status: Status = Field(description="closed at these four values for ever; `completed` and `failed` are final")
    state: str = Field(description="says more than `status`; more values may come", examples=list(State))
    done: bool = Field(description="the job has ended and never changes again")
    seq: int = Field(ge=1, description="grows with every visible change: ETag, id of events, key to merge by")
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
    retries: dict[str, Whole] | Missing = Field(None, description="tries after the first, by error code; `waits`")
    waiting: Waiting | Missing = Field(None, description="only while the job waits for a service that is down")
    usage: Usage | None
    priority: Priority
    retry_of: UUID | None = Field(description="the failed job that this one goes on with")
    metadata: dict[str, Any]
    tags: list[str]
    run_at: Moment | None = Field(description="not to start before; null for a job that was to start at once")
    owner: str = Field(description="whose job it is: a digest")
    poll_after_ms: Whole = Field(description="when to look again")
    v: int = Field(description="version of this object's schema")


class JobObject(JobChange):
    """A job. `error`, `error_detail` and `completed_at` are absent until it has ended; more fields may come."""

    queue: Queue | None = Field(description="null unless pending; no part of the version that `seq` counts")
    payload: dict[str, Any] | Missing = Field(None, description="only with `?include=payload`")
    items: list[Any] = Field(description="finished items, until the result has them")
    links: Links


class JobItem(BaseModel):
    """An item that was finished."""

    index: Whole
    value: Any


class JobList(BaseModel):
    """A page of jobs, newest first. It may be short, even empty, where there are more."""

    data: list[JobObject]
    next_cursor: str | None = Field(None, description="null on the last page; absent in an answer to `ids`")
    missing: list[str] | Missing = Field(None, description="only in an answer to `ids`: those that are not found")


class BatchAnswer(BaseModel):
    """The jobs of a batch, in its order."""

    jobs: list[JobObject]


class QueueDepth(BaseModel):
    """Jobs that are ready and wait for a worker, by priority."""

    high: Whole
    normal: Whole
    low: Whole


class QueueStats(BaseModel):
    """What is in a queue."""

    name: str
    paused: bool
    depth: QueueDepth
    running: Whole = Field(description="with a worker")
    scheduled: Whole = Field(description="wait for their time: delayed, or for another attempt")
    open: Whole = Field(description="not ended; those beyond a limit of their owner or type are only in this one")
    ended_per_minute: Annotated[float, Field(ge=0)] = Field(description="over the last 5 minutes, or the last 500 jobs")


class WorkerStats(BaseModel):
    """What a worker says of itself."""

    id: str
    host: str
    concurrency: Whole
    running: Whole
    started_at: Moment
    seen_at: Moment
    types: list[str] | None = Field(description="job types that it knows; null: it is of an older release")


class Spread(BaseModel):
    """Seconds: the median and the 95th percentile."""

    p50: Seconds | None
    p95: Seconds | None


class TypeStats(BaseModel):
    """How the jobs of a type among the last 500 fared."""

    completed: Whole
    failed: Whole
    run_seconds: Spread
    wait_seconds: Spread


class StatsObject(BaseModel):
    """Figures, a second old at the most."""

    queues: list[QueueStats]
    workers: list[WorkerStats]
    types: dict[str, TypeStats]
    unknown_types: list[str] = Field(description="job types that are taken and that no running worker knows")


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


class WorldLinks(BaseModel):
    """Addresses that belong to the world."""

    self: str


class WorldSummaryObject(BaseModel):
    """A saved world, as it is listed."""

    id: UUID
    title: str
    theme: str
    user_id: str = Field(description="as it was given to the job, as text")
    job_id: UUID = Field(description="the job that made it; forgotten 24 h after it ended")
    created_at: Moment
    links: WorldLinks


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
