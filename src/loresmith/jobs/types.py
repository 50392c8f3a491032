"""What a job is: its states, the transitions between them, and the document everybody reads.

    queued ─────► running ─────► completed
      ▲  │         │  ▲  │
      │  │         ▼  │  ├─────► failed
    scheduled    retrying │
         │             │  ▼
         └─► cancelled ◄─ cancelling

`status` is closed at four values for ever: deployed pollers stop on `completed` and `failed` alone.
`state` says more and may grow.
"""

import time
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec

LIFETIME_SECONDS: Final = 86_400
SCHEMA_VERSION: Final = 1


class Word(StrEnum):
    """A word that is looked up as fast as its text: an Enum computes its hash in Python, for each look."""

    __hash__ = str.__hash__


class Status(Word):
    """The four values of `status`."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class State(Word):
    """The finer `state`; each belongs to one status."""

    QUEUED = "queued"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    RETRYING = "retrying"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATUS_OF: Final[dict[State, Status]] = {
    State.QUEUED: Status.PENDING,
    State.SCHEDULED: Status.PENDING,
    State.RUNNING: Status.PROCESSING,
    State.RETRYING: Status.PROCESSING,
    State.CANCELLING: Status.PROCESSING,
    State.COMPLETED: Status.COMPLETED,
    State.FAILED: Status.FAILED,
    State.CANCELLED: Status.FAILED,
}

TRANSITIONS: Final[dict[tuple[State, State], str]] = {
    (State.SCHEDULED, State.RUNNING): "due, and a worker took it",
    (State.SCHEDULED, State.CANCELLED): "cancelled before it was due",
    (State.SCHEDULED, State.FAILED): "waited 24 h past its due time",
    (State.QUEUED, State.RUNNING): "a worker took it",
    (State.QUEUED, State.CANCELLED): "cancelled while it waited",
    (State.QUEUED, State.FAILED): "waited 24 h, or its payload no longer fits",
    (State.RUNNING, State.RUNNING): "progress, or another worker took it over from a dead one",
    (State.RUNNING, State.RETRYING): "failed for now, waits for what is away, or handed back by a worker that stops",
    (State.RUNNING, State.COMPLETED): "the handler returned",
    (State.RUNNING, State.FAILED): "failed for good",
    (State.RUNNING, State.CANCELLED): "stopped on request",
    (State.RETRYING, State.RUNNING): "the next attempt begins",
    (State.RETRYING, State.CANCELLED): "cancelled while it waited for the next attempt",
    (State.RETRYING, State.FAILED): "its deadline passed before the next attempt",
}
"""Every edge of the state machine with its reason. `cancelling` is an open job with a cancel mark, shown by readers."""

TERMINAL: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})


class Priority(Word):
    """Order of service within a queue; a lower one is slower, never starved."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class ErrorDetail(msgspec.Struct, frozen=True):
    """Why a job failed, for programs; `error` is the same for people."""

    code: str
    message: str
    retryable: bool
    retry_after_seconds: float | None = None


class Spent(msgspec.Struct):
    """Tokens and their price."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None

    def add(self, input_tokens: int, output_tokens: int, cost_usd: float | None) -> None:
        """Add to it; an unknown price adds nothing."""
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        if cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd


class Usage(Spent):
    """All tokens that a job was charged for so far, over all its attempts, and their price.

    `wasted` is the part of it that nothing came of: of calls that failed, were cut off, or were lost with their
    worker. `in_flight`, beside it, is what the calls under way have used so far.
    """

    model: str | None = None
    wasted: Spent | None = None
    in_flight: Spent | None = None

    def lose_in_flight(self) -> None:
        """Count as wasted what was under way: whoever ran it is gone."""
        lost, self.in_flight = self.in_flight, None
        if lost is not None:
            self.add(lost.input_tokens, lost.output_tokens, lost.cost_usd)
            self.wasted = self.wasted or Spent()
            self.wasted.add(lost.input_tokens, lost.output_tokens, lost.cost_usd)


class Eta(msgspec.Struct, frozen=True):
    """Seconds until the job ends: the estimate and its 80 % interval."""

    seconds: float
    low: float
    high: float


class Waiting(msgspec.Struct, frozen=True):
    """What a job waits for: the error code, the reason for people, and how many tries in a row found it away."""

    code: str
    reason: str
    times: int = 1


_NULL: Final = msgspec.Raw(b"null")


class Job(msgspec.Struct, kw_only=True):
    """The public document of a job, stored as JSON under `job:<id>` and sent to clients as it is.

    Times are RFC 3339 in UTC. `error`, `error_detail` and `completed_at` are absent, not null, until the job ended.
    `retries` counts the tries after the first by cause, `waits` among them, and is absent while there are none;
    `waiting` is there while the job waits for something that is away.
    `seq` grows by one with every visible change. `owner` is the digest by which keys name the owner. `internal` is
    set on jobs of the engine's own, which clients never see: see loresmith.jobs.internal.
    """

    id: str
    type: str
    status: Status
    state: State
    done: bool = False
    seq: int = 1
    progress: int = 0
    progress_source: str = "none"
    fraction: float | None = None
    message: str = "Preparing your request..."
    result: msgspec.Raw = _NULL
    error: str | msgspec.UnsetType = msgspec.UNSET
    error_detail: ErrorDetail | msgspec.UnsetType = msgspec.UNSET
    created_at: str
    updated_at: str
    started_at: str | None = None
    completed_at: str | msgspec.UnsetType = msgspec.UNSET
    expires_at: str | None = None
    eta: Eta | None = None
    attempt: int = 0
    max_attempts: int = 3
    rescues: int = 0
    retries: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    waiting: Waiting | msgspec.UnsetType = msgspec.UNSET
    usage: Usage | None = None
    priority: Priority = Priority.NORMAL
    retry_of: str | None = None
    metadata: dict[str, Any] = {}
    tags: list[str] = []
    run_at: str | None = None
    owner: str = ""
    internal: bool | msgspec.UnsetType = msgspec.UNSET
    poll_after_ms: int = 3000
    v: int = SCHEMA_VERSION

    def move(self, state: State) -> None:
        """Enter `state`, or raise ValueError when the transition table has no such edge."""
        if (self.state, state) not in TRANSITIONS:
            raise ValueError(f"job {self.id!r} cannot go from {self.state!r} to {state!r}")
        self.state = state
        self.status = STATUS_OF[state]
        self.done = state in TERMINAL

    def touch(self) -> None:
        """Mark a visible change: the next `seq` and a new `updated_at`."""
        self.seq += 1
        self.updated_at = timestamp()


class JobInput(msgspec.Struct, kw_only=True):
    """What a job was submitted with; written once, never shown unless asked for."""

    payload: msgspec.Raw
    owner: str
    root_job_id: str
    queue: str = "default"
    deadline_seconds: float | None = None
    running_limit: int = 0
    type_limit: int = 0
    groups: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """How many of all jobs that name a group may be with the workers at once, by its name."""
    idempotency: str = ""
    """The key of Redis that remembers its Idempotency-Key."""
    request_id: str = ""
    """Of the request that submitted it, for logs."""
    traceparent: str = ""
    """The span that submitted it (W3C Trace Context), where there are traces."""
    attached: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    """What those who follow its end need to know; kept by the engine, and never looked at."""
    v: int = SCHEMA_VERSION


def timestamp(seconds_from_now: float = 0.0) -> str:
    """Return the current time, or one some seconds from it, as RFC 3339 in UTC with milliseconds."""
    return _written(int((time.time() + seconds_from_now) * 1000))


@lru_cache(maxsize=16)
def _written(ms: int) -> str:
    """Return a time as text; most that are asked for fall into this millisecond, or are a lifetime later."""
    return f"{_whole_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=8)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def ms_of(moment: str) -> int:
    """Return an RFC 3339 time as ms since 1970."""
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def due_ms_of(created_at: str, run_at: str | None) -> int:
    """Return the time in ms by which a job must have started: so it is filed in its queue."""
    return ms_of(run_at or created_at) + LIFETIME_SECONDS * 1000


def seconds_since(moment: str) -> float:
    """Return the seconds that have passed since an RFC 3339 time."""
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


encode_job: Final = msgspec.json.Encoder().encode
decode_job: Final = msgspec.json.Decoder(Job).decode
encode_input: Final = msgspec.json.Encoder().encode
decode_input: Final = msgspec.json.Decoder(JobInput).decode
