"""A submission: what was asked for, checked, and made into a new job."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

import msgspec
import pydantic_core

from loresmith.jobs import keys
from loresmith.jobs.errors import FieldProblem, InvalidPayloadError
from loresmith.jobs.queue import Release
from loresmith.jobs.registry import JobRegistry, JobType
from loresmith.jobs.turns import Turns
from loresmith.jobs.types import LIFETIME_SECONDS, Job, JobInput, Priority, State, Status, due_ms_of, timestamp
from loresmith.telemetry.subject import request_id

LOCAL_OWNER: Final = "local"
_LONGEST_DELAY_SECONDS: Final = 30 * LIFETIME_SECONDS
_MOST_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """How a job is to be run; everything has a default.

    `run_at` (seconds since 1970) or `delay_seconds` (0 to 30 days) holds it back, `deadline_seconds` counts from its
    first start and may shorten its type's own. `running_limit` bounds how many jobs of its owner are with the workers
    at once (0: no bound), `groups` how many of all jobs that name a group. What is `attached` is kept for those who
    follow its end, and carried on by retries.
    """

    owner: str = LOCAL_OWNER
    priority: Priority = Priority.NORMAL
    delay_seconds: float = 0.0
    run_at: float | None = None
    deadline_seconds: float | None = None
    max_attempts: int | None = None
    running_limit: int = 0
    groups: Mapping[str, int] = field(default_factory=dict[str, int])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tags: tuple[str, ...] = ()
    attached: Mapping[str, Any] = field(default_factory=dict[str, Any])


DEFAULTS: Final = Options()


@dataclass(slots=True)
class NewJob:
    """A checked submission on its way into Redis, with the items it takes over from an earlier job."""

    job: Job
    submitted: JobInput
    delay_seconds: float = 0.0
    run_at: float | None = None
    items: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    tried: bool = False
    """Whether a submit of it failed, or died, so that nobody knows how far it came."""
    wants_place: bool = False
    place: int | None = None
    """Its place among those that wait, from when it is written, if that is wanted."""

    @property
    def release(self) -> Release:
        """How the queue is to release it."""
        return release_of(self.job, self.submitted, delay_seconds=self.delay_seconds)

    @property
    def due_ms(self) -> int:
        """The time in ms by which it must have started."""
        return due_ms_of(self.job.created_at, self.job.run_at)

    @property
    def fingerprint(self) -> str:
        """A digest of what was asked for, the same for the same request."""
        job, submitted = self.job, self.submitted
        asked = [job.type, submitted.payload, submitted.deadline_seconds, job.max_attempts, job.priority]
        more = [self.delay_seconds if self.run_at is None else ["at", self.run_at], job.metadata, job.tags]
        more += [submitted.attached] if submitted.attached else []
        return hashlib.sha256(msgspec.json.encode([asked, more], order="sorted")).hexdigest()


def prepare(kind: JobType, payload: object, options: Options) -> NewJob:
    """Return the new job for a submission. Raises InvalidPayloadError that names each wrong field."""
    _check(options)
    valid = kind.validate(payload)
    delay_seconds = options.delay_seconds if options.run_at is None else max(0.0, options.run_at - time.time())
    now, delayed = timestamp(), delay_seconds > 0
    job = Job(
        id=str(uuid4()),
        type=kind.name,
        status=Status.PENDING,
        state=State.SCHEDULED if delayed else State.QUEUED,
        created_at=now,
        updated_at=now,
        max_attempts=options.max_attempts or kind.max_attempts,
        priority=options.priority,
        metadata=dict(options.metadata),
        tags=list(options.tags),
        run_at=timestamp(delay_seconds) if delayed else None,
        owner=keys.owner_digest(options.owner),
    )
    submitted = JobInput(
        payload=msgspec.Raw(pydantic_core.to_json(valid)),
        owner=options.owner,
        root_job_id=job.id,
        deadline_seconds=options.deadline_seconds,
        running_limit=options.running_limit,
        type_limit=kind.concurrency,
        groups=dict(options.groups),
        request_id=request_id(),
        attached=dict(options.attached) or msgspec.UNSET,
    )
    return NewJob(job, submitted, delay_seconds, options.run_at)


async def prepare_all(
    registry: JobRegistry, submissions: Sequence[tuple[str, object, Options]], turns: Turns
) -> list[NewJob]:
    """Do as `prepare` for each of a batch; pointers begin with the place of the job. Raises UnknownJobTypeError too."""
    new: list[NewJob] = []
    work = turns.work()
    for place, (name, payload, options) in enumerate(submissions):
        try:
            new.append(prepare(registry.get(name), payload, options))
        except InvalidPayloadError as error:
            problems = [replace(one, pointer=f"/{place}{one.pointer}") for one in error.problems]
            raise InvalidPayloadError(problems) from None
        await work.give()
    return new


def prepare_retry(kind: JobType, failed: Job, submitted: JobInput, items: Mapping[str, bytes]) -> NewJob:
    """Return the new job that goes on where a failed one ended; finished items are taken over."""
    now = timestamp()
    job = Job(
        id=str(uuid4()),
        type=failed.type,
        status=Status.PENDING,
        state=State.QUEUED,
        created_at=now,
        updated_at=now,
        max_attempts=kind.max_attempts,
        priority=failed.priority,
        metadata=failed.metadata,
        tags=failed.tags,
        retry_of=failed.id,
        owner=failed.owner,
    )
    submitted = msgspec.structs.replace(
        submitted, type_limit=kind.concurrency, idempotency="", request_id=request_id(), traceparent=""
    )
    return NewJob(job, submitted, items=items)


def release_of(job: Job, submitted: JobInput, *, delay_seconds: float = 0.0) -> Release:
    """Return how the queue names and releases a job."""
    delay_ms = int(delay_seconds * 1000)
    limits = submitted.running_limit, job.type, submitted.type_limit, submitted.groups
    return Release(job.id, job.priority, delay_ms, submitted.owner, *limits)


def _check(options: Options) -> None:
    """Raise InvalidPayloadError for options that are out of range."""
    problems = [FieldProblem(f"/{name}", "out_of_range", f"expected {what}") for name, what in _wrong(options)]
    if problems:
        raise InvalidPayloadError(problems)


def _wrong(options: Options) -> Iterator[tuple[str, str]]:
    if not 0 <= options.delay_seconds <= _LONGEST_DELAY_SECONDS:
        yield "delay_seconds", f"a number from 0 to {_LONGEST_DELAY_SECONDS}"
    if options.run_at is not None and options.run_at - time.time() > _LONGEST_DELAY_SECONDS:
        yield "run_at", "a time within 30 days"
    if options.deadline_seconds is not None and not 1 <= options.deadline_seconds <= LIFETIME_SECONDS:
        yield "deadline_seconds", f"a number from 1 to {LIFETIME_SECONDS}"
    if options.max_attempts is not None and not 1 <= options.max_attempts <= _MOST_ATTEMPTS:
        yield "max_attempts", f"a number from 1 to {_MOST_ATTEMPTS}"
