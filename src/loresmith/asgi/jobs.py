"""Jobs of an application: submit and follow them without HTTP."""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, cast

import msgspec
from typing_extensions import TypeVar, Unpack

from loresmith.api.access import OwnerLimits
from loresmith.api.configured import limits_of
from loresmith.api.errors import Problem
from loresmith.api.submission import Submitter, checked_key, parse_submission
from loresmith.asgi.answers import client_errors
from loresmith.asgi.connected import Connected, NotConnectedError, connected
from loresmith.bootstrap import build_registry
from loresmith.client import AsyncJobHandle, Job, JobToken, ServerUnreachableError, Submission, Update, WaitTimeoutError
from loresmith.client import WebhookLog as ClientLog
from loresmith.client.calls import Priority, TokenScope, Webhook, encode
from loresmith.client.knowledge import Knowledge
from loresmith.client.options import Filters
from loresmith.client.payloads import join_payload
from loresmith.client.result_types import Adapter, TypedJob, reader_of
from loresmith.jobs import LOCAL_OWNER, Event, EventName, JobType, JobView, Listing, State, Status
from loresmith.setting_types import words
from loresmith.settings import Settings, load_settings

T = TypeVar("T", default=Any)

_LOOK_SECONDS: Final = 10.0


class Jobs:
    """Jobs, with the methods of `AsyncJobsClient`, on the Redis and the database of the settings.

    It is open inside of `async with`, or in an application with `FastAPI(lifespan=jobs.lifespan)`. Without
    LORESMITH_REDIS_URL it uses the embedded Redis of a `loresmith run` with the same data directory. Its jobs are those
    of one owner: `as_owner` returns another's on the same connections. Workers run elsewhere.

    `job_types` are taken besides those of the product, of installed extensions and of LORESMITH_JOBS. Other
    arguments are settings: `Jobs(redis_url="redis://…")` is LORESMITH_REDIS_URL. Every method raises the errors
    of `loresmith.client`. Raises SettingsError for settings that are wrong.
    """

    def __init__(self, *, job_types: Sequence[JobType[Any, Any]] = (), **settings: Any) -> None:
        self.settings: Settings = load_settings(**settings)
        names, product = words(self.settings.jobs or ""), not self.settings.jobs_only
        self._registry = build_registry(names, product=product).add(*job_types)
        self._owner = LOCAL_OWNER
        self._shared = _Shared()

    @property
    def connected(self) -> Connected:
        """What is open. Raises NotConnectedError."""
        if self._shared.connected is None:
            raise NotConnectedError("Jobs is not open: expected FastAPI(lifespan=jobs.lifespan) or `async with jobs`")
        return self._shared.connected

    async def __aenter__(self) -> Self:
        if self._shared.connected is not None:
            raise NotConnectedError("Jobs is open already: expected one `async with jobs` at a time")
        opening = connected(self.settings, self._registry)
        self._shared.connected, self._shared.opening = await opening.__aenter__(), opening
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        opening, self._shared.connected, self._shared.opening = self._shared.opening, None, None
        if opening is not None:
            await opening.__aexit__(kind, error, trace)

    @property
    def lifespan(self) -> Callable[[Any], AbstractAsyncContextManager[None]]:
        """The lifespan of an application that has no other: open while it runs."""

        @contextlib.asynccontextmanager
        async def lifespan(_app: Any) -> AsyncGenerator[None]:
            async with self:
                yield

        return lifespan

    def as_owner(self, owner: str | int) -> Self:
        """Return the jobs of an owner, on the same connections."""
        if not str(owner):
            raise ValueError("owner is empty: expected the name or the id of a user")
        other = copy.copy(self)
        vars(other).update(_owner=str(owner))
        return other

    async def submit(
        self,
        type: str | TypedJob[T],  # noqa: A002 - the API's word
        payload: Mapping[str, Any] | object | None = None,
        /,
        *,
        result_type: type[T] | Adapter[T] | None = None,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        priority: Priority = "normal",
        run_at: datetime | None = None,
        delay_seconds: float | None = None,
        deadline_seconds: float | None = None,
        max_attempts: int | None = None,
        webhook: Webhook | None = None,
        **fields: Any,
    ) -> AsyncJobHandle[T]:
        """Submit a job and return a handle of it: see `AsyncJobsClient.submit`."""
        name, job_type = (type, None) if isinstance(type, str) else (type.name, type)
        reader = reader_of(job_type, result_type)
        submission = Submission(
            type=name,
            payload=join_payload(payload, fields),
            metadata=metadata or {},
            tags=tags,
            priority=priority,
            run_at=run_at if run_at is None else run_at.astimezone(),
            delay_seconds=delay_seconds,
            deadline_seconds=deadline_seconds,
            max_attempts=max_attempts,
            webhook=webhook,
        )
        return AsyncJobHandle(self, await self._submit(submission, idempotency_key), reader)

    async def _submit(self, submission: Submission, key: str | None) -> Job:
        body, by = encode(submission), self._submitter
        with client_errors():
            if len(body) > by.limits.payload_bytes:
                raise Problem("payload_too_large", f"expected a job of at most {by.limits.payload_bytes:,} bytes")
            wanted = parse_submission(msgspec.json.decode(body), by)
            view, _ = await self.connected.manager.submit(*wanted, key=None if key is None else checked_key(key))
        return _job(view)

    async def job(
        self, job_id: str, *, job_type: TypedJob[T] | None = None, result_type: type[T] | Adapter[T] | None = None
    ) -> AsyncJobHandle[T]:
        """Return a handle of a job that was submitted before, here or elsewhere."""
        reader = reader_of(job_type, result_type)
        return AsyncJobHandle(self, await self.get(job_id), reader)

    async def get(self, job_id: str, *, payload: bool = False) -> Job:
        """Return the job as it is now, with its `payload` if asked for."""
        manager = self.connected.manager
        with client_errors():
            view = await manager.view(job_id, owner=self._owner, payload=payload)
            await manager.place(view)
        return _job(view)

    async def list(self, *, page_size: int = 50, **filters: Unpack[Filters]) -> AsyncGenerator[Job]:
        """Yield jobs, newest first, page after page as they are needed."""
        listing: Listing | None = _listing(page_size, filters)
        while listing is not None:
            with client_errors():
                page = await self.connected.manager.list(listing, owner=self._owner)
            for view in page.jobs:
                yield _job(view)
            listing = None if page.next_cursor is None else replace(listing, cursor=page.next_cursor)

    async def wait(self, job_id: str, *, timeout: float | None = None) -> Job:
        """Return the job once it has ended, completed or not. Raises WaitTimeoutError."""
        job: Job | None = None
        async with contextlib.aclosing(self.stream(job_id, timeout=timeout)) as updates:
            async for update in updates:
                job = update.job
        assert job is not None
        return job

    async def stream(self, job_id: str, *, timeout: float | None = None) -> AsyncGenerator[Update]:
        """Yield what happens to the job until it has ended. Raises WaitTimeoutError.

        Raises ServerUnreachableError when the application stops meanwhile.
        """
        ends = math.inf if timeout is None else time.monotonic() + timeout
        knowledge = Knowledge()
        with client_errors():
            async with self.connected.manager.following(job_id, owner=self._owner) as follower:
                while not knowledge.is_final:
                    event = await follower.next(max(0.0, min(_LOOK_SECONDS, ends - time.monotonic())))
                    if event is not None:
                        for update in _updates(knowledge, event):
                            yield update
                    elif follower.is_over:
                        raise ServerUnreachableError("the application stops: the job goes on")
                    elif time.monotonic() >= ends:
                        raise WaitTimeoutError(job_id, seconds=timeout or 0.0, job=knowledge.job)

    async def cancel(self, job_id: str) -> Job:
        """Stop the job and return it: ended, or `cancelling`. One that has ended stays as it is."""
        with client_errors():
            await self.connected.manager.cancel(job_id, owner=self._owner)
        return await self.get(job_id)

    async def retry(self, job_id: str) -> Job:
        """Return a new job that goes on where this failed one ended. Raises ConflictError if it has not failed."""
        with client_errors():
            job = await self.connected.manager.retry(job_id, owner=self._owner)
        return await self.get(job.id)

    async def delete(self, job_id: str) -> None:
        """Delete a job that has ended. Raises ConflictError if it has not."""
        with client_errors():
            await self.connected.manager.delete(job_id, owner=self._owner)

    async def create_token(self, job_id: str, *, scope: TokenScope = "read") -> JobToken:
        """Return a token for this one job, good for 15 minutes at the mounted API: for a browser."""
        opened = self.connected
        with client_errors():
            job = await opened.manager.get(job_id, owner=self._owner)
            token = await opened.job_tokens.issue(job.id, job.owner, scope)
        return JobToken.of(token.model_dump(mode="json"))

    async def webhooks(self, job_id: str) -> ClientLog:
        """Return the receiver of the job's webhook, and each try to deliver it."""
        opened = self.connected
        with client_errors():
            job, attached = await opened.manager.attached(job_id, owner=self._owner)
            log = await opened.webhooks.log_of(job, attached)
        return ClientLog.of(log.model_dump(mode="json"))

    @property
    def _submitter(self) -> Submitter:
        local = self._owner == LOCAL_OWNER
        limits = OwnerLimits(0, self.settings.owner_payload_bytes) if local else limits_of(self.settings, asks=True)
        return Submitter(self._owner, local, limits, self.connected.webhooks)


class _Shared:
    """What `Jobs` of several owners have in common."""

    def __init__(self) -> None:
        self.connected: Connected | None = None
        self.opening: AbstractAsyncContextManager[Connected] | None = None


def _updates(knowledge: Knowledge, event: Event) -> Sequence[Update]:
    document = cast("dict[str, Any]", msgspec.json.decode(event.data))
    match event.name:
        case EventName.SNAPSHOT | EventName.DONE:
            return knowledge.take_whole(document)
        case EventName.STATUS | EventName.PROGRESS:
            return knowledge.take_change(document)
        case EventName.ITEM:
            return knowledge.take_item(document["index"], document["value"])


def _job(view: JobView) -> Job:
    return Job.of(msgspec.json.decode(view.body))


def _listing(limit: int, filters: Filters) -> Listing:
    after = filters.get("created_after")
    status, state = filters.get("status"), filters.get("state")
    return Listing(
        status=None if status is None else Status(status),
        state=None if state is None else State(state),
        type=filters.get("type"),
        tag=filters.get("tag"),
        created_after_ms=None if after is None else int(after.timestamp() * 1000),
        limit=limit,
    )
