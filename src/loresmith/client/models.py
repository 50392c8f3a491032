"""What the API answers, typed: fields that are not known are passed over, open sets are plain text."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal, Self, cast

import msgspec

from loresmith.client.errors import JobFailedError, UnexpectedAnswerError
from loresmith.client.job_parts import Eta, Waiting

Status = Literal["pending", "processing", "completed", "failed"]
"""Closed for ever at these four; `state` says more and is open."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the API; `document` is all that the server sent of it, also what this version has no field for."""

    document: dict[str, Any]
    noun: ClassVar[str] = "object"

    @classmethod
    def of(cls, document: object) -> Self:
        """Return the object of a JSON document. Raises UnexpectedAnswerError."""
        if not isinstance(document, dict):
            raise UnexpectedAnswerError(f"the server sent {type(document).__name__} as {cls.noun}, expected an object")
        try:
            return msgspec.convert({**document, "document": document}, cls)
        except msgspec.ValidationError as error:
            raise UnexpectedAnswerError(f"the server sent a {cls.noun} that is none: {error}") from None


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, for programs; more codes may come."""

    code: str
    message: str = ""
    retryable: bool = False
    retry_after_seconds: float | None = None


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and their price in dollars, None where it is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class Usage(Spent, frozen=True, kw_only=True):
    """What a job has cost, over all its attempts."""

    model: str | None = None
    wasted: Spent | None = None
    in_flight: Spent | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job waits, 1 is next, and about when it starts; None where nobody can tell."""

    position: int
    expected_start: datetime | None = None


class Job(Document, frozen=True, kw_only=True):
    """A job as it was when the server answered; `seq` orders two of them."""

    noun: ClassVar[str] = "job"

    id: str
    type: str
    status: Status
    done: bool
    seq: int
    progress: int
    message: str
    created_at: datetime
    state: str = ""
    progress_source: str = "none"
    fraction: float | None = None
    result: Any = None
    items: list[Any] = []
    error: str | None = None
    error_detail: ErrorDetail | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    run_at: datetime | None = None
    eta: Eta | None = None
    queue: Place | None = None
    attempt: int = 0
    max_attempts: int = 0
    rescues: int = 0
    retries: dict[str, int] = {}
    waiting: Waiting | None = None
    usage: Usage | None = None
    priority: str = "normal"
    retry_of: str | None = None
    metadata: dict[str, Any] = {}
    tags: list[str] = []
    payload: dict[str, Any] | None = None
    owner: str = ""
    poll_after_ms: int = 3000

    @property
    def is_cancelled(self) -> bool:
        """Whether the job ended because somebody cancelled it."""
        return self.state == "cancelled"

    @property
    def finished_items(self) -> list[Any]:
        """The items that are finished: a completed job has them in its result, if that is a list."""
        result: Any = self.result
        return cast("list[Any]", result) if isinstance(result, list) else self.items

    def raise_for_failure(self) -> Self:
        """Return the job itself. Raises JobFailedError if it has failed or was cancelled."""
        if self.status == "failed":
            code = self.error_detail.code if self.error_detail else "internal"
            raise JobFailedError(self.id, self.error or "no reason was given", code=code)
        return self


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some jobs, newest first; `next_cursor` gives the next page, None on the last."""

    jobs: list[Job]
    next_cursor: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that were asked for by id, and the ids of which there is none."""

    jobs: list[Job]
    missing: list[str]


class JobType(Document, frozen=True, kw_only=True):
    """A type of job that the server knows, with the JSON schemas of its payload and of one item."""

    noun: ClassVar[str] = "job type"

    name: str
    payload_schema: dict[str, Any]
    description: str = ""
    item_schema: dict[str, Any] | None = None
    expected_seconds: float = 0.0


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that are ready and wait for a worker, by priority."""

    high: int = 0
    normal: int = 0
    low: int = 0


class QueueStats(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a queue."""

    name: str
    paused: bool = False
    depth: Depth = Depth()
    running: int = 0
    scheduled: int = 0
    open: int = 0
    ended_per_minute: float = 0.0


class WorkerStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of itself."""

    id: str
    host: str = ""
    concurrency: int = 0
    running: int = 0
    started_at: datetime | None = None
    seen_at: datetime | None = None
    types: list[str] | None = None


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: the median and the 95th percentile, None where nothing has ended."""

    p50: float | None = None
    p95: float | None = None


class TypeStats(msgspec.Struct, frozen=True, kw_only=True):
    """How the last jobs of a type fared."""

    completed: int = 0
    failed: int = 0
    run_seconds: Spread = Spread()
    wait_seconds: Spread = Spread()


class Stats(Document, frozen=True, kw_only=True):
    """How busy the server is."""

    noun: ClassVar[str] = "statistics"

    queues: list[QueueStats] = []
    workers: list[WorkerStats] = []
    types: dict[str, TypeStats] = {}
    unknown_types: list[str] = []
    """Job types that are taken and that no running worker knows."""


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver a message; `outcome` is open, `status` is None where the receiver did not answer."""

    at: datetime
    outcome: str
    status: int | None = None
    seconds: float | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message to the receiver of a webhook: `pending`, `delivered` or `failed`; `id` is its `webhook-id`."""

    id: str
    event: str
    state: str
    tries: list[Try] = []
    next_try_at: datetime | None = None
    error: str | None = None


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of what; a query of the URL is not shown."""

    url: str
    events: list[str] = []


class WebhookLog(Document, frozen=True, kw_only=True):
    """Whom a job tells of its end, None if nobody, and what came of that so far."""

    noun: ClassVar[str] = "webhook log"

    webhook: Receiver | None = None
    data: list[Delivery] = []


class Quest(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to do in a world."""

    title: str
    description: str = ""
    stages: list[str] = []


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of lore; `details` differ per type."""

    type: str
    name: str
    description: str = ""
    details: dict[str, Any] = {}


class WorldSummary(Document, frozen=True, kw_only=True):
    """A saved world, as it is listed."""

    noun: ClassVar[str] = "world"

    id: str
    title: str
    theme: str
    created_at: datetime
    user_id: str = ""
    job_id: str = ""


class World(WorldSummary, frozen=True, kw_only=True):
    """A saved world; paragraphs of `story` have a blank line between them."""

    story: str
    quest: Quest
    pieces: list[Piece] = []


class JobToken(Document, frozen=True, kw_only=True):
    """A token for one job, to `read` it or to `cancel` it too, as a browser gets it instead of a key."""

    noun: ClassVar[str] = "token"

    token: str
    expires_at: datetime
    scope: str = "read"

    def __repr__(self) -> str:
        return f"JobToken(scope={self.scope!r}, expires_at={self.expires_at.isoformat()!r})"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What a server that lives says of itself, and what time it is there, to a second."""

    version: str
    told_at: datetime | None = None


class WorldPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some worlds, newest first; `next_cursor` gives the next page, None on the last."""

    worlds: list[WorldSummary]
    next_cursor: str | None = None
