"""Requests as values: what is asked, how the answer is read, and whether it is safe to ask again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final, Generic, Literal, TypeVar
from urllib.parse import quote

import msgspec

from loresmith.client.answers import Answer, checked, document_of, list_of
from loresmith.client.models import (
    Found,
    Health,
    Job,
    JobPage,
    JobToken,
    JobType,
    Stats,
    WebhookLog,
    World,
    WorldPage,
    WorldSummary,
)

T = TypeVar("T")

Priority = Literal["high", "normal", "low"]
TokenScope = Literal["read", "cancel"]
MOST_WAIT_SECONDS: Final = 60
"""The longest that the server holds an answer back."""
_NOTHING: Final[Mapping[str, str]] = {}


class Again(Enum):
    """When a call that failed may be made once more."""

    ALWAYS = auto()
    """Twice is as good as once: it reads, it is idempotent, or carries an Idempotency-Key."""
    UNSENT = auto()
    """Only when the server has not acted on it: it was never sent, or was refused for now."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request; `read` makes the answer to a caller of a successful answer."""

    method: str
    path: str
    read: Callable[[Answer], T]
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    again: Again = Again.ALWAYS
    held_seconds: float = 0.0
    """How much longer than usual the answer may take, because the server was asked to hold it back."""

    def take(self, answer: Answer) -> T:
        """Return what the answer says. Raises ProblemError, UnexpectedAnswerError."""
        return self.read(checked(answer))


class Webhook(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom to tell when a job has ended (docs/webhooks.md); of no `events`, of all."""

    url: str
    events: Sequence[str] = ()


class Submission(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job to do: its type, its payload, and what `POST /jobs` takes beside them (docs/http-api.md)."""

    type: str
    payload: Any
    """A mapping, or a dataclass, a Struct or a model of pydantic that is one in JSON."""
    metadata: Mapping[str, Any] = {}
    tags: Sequence[str] = ()
    priority: Priority = "normal"
    run_at: datetime | None = None
    delay_seconds: float | None = None
    deadline_seconds: float | None = None
    max_attempts: int | None = None
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What is listed: all that is set must hold."""

    state: str | None = None
    status: str | None = None
    type: str | None = None
    tag: str | None = None
    created_after: datetime | None = None

    def params(self) -> dict[str, str]:
        """Return it as a query string has it."""
        after = self.created_after.astimezone().isoformat() if self.created_after else None
        named = {"state": self.state, "status": self.status, "type": self.type, "tag": self.tag, "created_after": after}
        return {name: value for name, value in named.items() if value is not None}


def submit(submission: Submission, *, key: str | None = None, wait_seconds: float = 0.0) -> Call[Job]:
    """Submit a job; `key` stands for it, by default one that this call alone has."""
    held = min(wait_seconds, MOST_WAIT_SECONDS)
    headers = {**_key(key), **({"Prefer": f"wait={held:.0f}"} if held else _NOTHING)}
    body = encode(submission)
    return Call("POST", "/jobs", _job, headers=_json(headers), body=body, held_seconds=held)


def submit_batch(submissions: Sequence[Submission], *, key: str | None = None) -> Call[list[Job]]:
    """Submit up to 100 jobs, all or none."""
    body = encode({"jobs": submissions})
    return Call("POST", "/jobs/batch", _batch, headers=_json(_key(key)), body=body)


def get(job_id: str, *, payload: bool = False) -> Call[Job]:
    """Read a job, with what it was submitted with if `payload`."""
    return Call("GET", job_path(job_id), _job, params={"include": "payload"} if payload else _NOTHING)


def get_many(job_ids: Sequence[str]) -> Call[Found]:
    """Read up to 100 jobs in one round trip."""
    return Call("GET", "/jobs", _found, params={"ids": ",".join(job_ids)})


def page(wanted: Filter, *, limit: int, cursor: str | None) -> Call[JobPage]:
    """List jobs, newest first."""
    return Call("GET", "/jobs", _page, params={**wanted.params(), **_paging(limit, cursor)})


def webhooks(job_id: str) -> Call[WebhookLog]:
    """Read what came of the webhook of a job."""
    return Call("GET", f"{job_path(job_id)}/webhooks", lambda answer: WebhookLog.of(document_of(answer)))


def cancel(job_id: str) -> Call[Job]:
    """Stop a job; one that has ended stays as it is."""
    return Call("POST", f"{job_path(job_id)}/cancel", _job)


def retry(job_id: str) -> Call[Job]:
    """Make a new job of a failed one. Once its answer is lost, the job may have run: a second might be paid twice."""
    return Call("POST", f"{job_path(job_id)}/retry", _job, again=Again.UNSENT)


def delete(job_id: str) -> Call[None]:
    """Forget a job that has ended."""
    return Call("DELETE", job_path(job_id), _nothing)


def create_token(job_id: str, *, scope: TokenScope) -> Call[JobToken]:
    """Make a token for one job."""
    body = msgspec.json.encode({"scope": scope})
    path = f"{job_path(job_id)}/tokens"
    return Call("POST", path, lambda answer: JobToken.of(document_of(answer)), headers=_json(_NOTHING), body=body)


def job_types() -> Call[list[JobType]]:
    """List the types of job."""
    return Call("GET", "/job-types", lambda answer: [JobType.of(one) for one in list_of(document_of(answer), "data")])


def stats() -> Call[Stats]:
    """Read how busy the server is."""
    return Call("GET", "/stats", lambda answer: Stats.of(document_of(answer)))


def health() -> Call[Health]:
    """Ask whether the server lives."""
    return Call("GET", "/healthz", _health)


def ready() -> Call[None]:
    """Ask whether it can serve; answered 503 with what is missing where it cannot."""
    return Call("GET", "/readyz", _nothing)


def worlds_page(*, limit: int, cursor: str | None) -> Call[WorldPage]:
    """List saved worlds, newest first."""
    return Call("GET", "/worlds", _worlds, params=_paging(limit, cursor))


def world(world_id: str) -> Call[World]:
    """Read a saved world."""
    return Call("GET", f"/worlds/{_segment(world_id)}", lambda answer: World.of(document_of(answer)))


def delete_world(world_id: str) -> Call[None]:
    """Delete a saved world for good."""
    return Call("DELETE", f"/worlds/{_segment(world_id)}", _nothing)


def pause(queue: str) -> Call[None]:
    """Let a queue hand out no more jobs."""
    return Call("POST", f"/queues/{_segment(queue)}/pause", _nothing)


def resume(queue: str) -> Call[None]:
    """Let a queue hand out jobs again."""
    return Call("POST", f"/queues/{_segment(queue)}/resume", _nothing)


def job_path(job_id: str) -> str:
    """Return the address of a job."""
    return f"/jobs/{_segment(job_id)}"


def encode(value: object) -> bytes:
    """Return a value as JSON. Raises TypeError for what JSON cannot have."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    """Return what msgspec does not know, a model of pydantic, as JSON has it."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"a payload cannot have a {type(value).__name__}: expected what JSON has")


def _segment(name: str) -> str:
    """Return a name as one segment of a path, whatever is in it: `..` must not lead elsewhere."""
    return quote(name, safe="").replace(".", "%2E")


def _key(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid.uuid4())}


def _json(headers: Mapping[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers}


def _paging(limit: int, cursor: str | None) -> dict[str, str]:
    return {"limit": str(limit), **({"cursor": cursor} if cursor else _NOTHING)}


def _job(answer: Answer) -> Job:
    return Job.of(document_of(answer))


def _batch(answer: Answer) -> list[Job]:
    return [Job.of(one) for one in list_of(document_of(answer), "jobs")]


def _found(answer: Answer) -> Found:
    document = document_of(answer)
    jobs = [Job.of(one) for one in list_of(document, "data")]
    return Found(jobs=jobs, missing=[str(one) for one in list_of(document, "missing")])


def _page(answer: Answer) -> JobPage:
    document = document_of(answer)
    return JobPage(jobs=[Job.of(one) for one in list_of(document, "data")], next_cursor=document.get("next_cursor"))


def _worlds(answer: Answer) -> WorldPage:
    document = document_of(answer)
    worlds = [WorldSummary.of(one) for one in list_of(document, "data")]
    return WorldPage(worlds=worlds, next_cursor=document.get("next_cursor"))


def _health(answer: Answer) -> Health:
    return Health(version=str(document_of(answer).get("version", "")), told_at=answer.date)


def _nothing(_: Answer) -> None:
    return None
