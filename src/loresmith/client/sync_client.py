# Generated from async_client.py by scripts/gen_client.py: change that file, and run `make gen`.
"""The client for plain code; the same as `AsyncJobsClient`, method by method."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx2
from tenacity import Retrying
from typing_extensions import TypeVar, Unpack

from loresmith.client import calls, exchange, result_types, retrying
from loresmith.client.answers import Answer, checked
from loresmith.client.calls import Call, Filter, Priority, Submission, TokenScope, Webhook
from loresmith.client.configuration import DEFAULT_SECONDS, UNSET, Configuration, Timeout, Unset
from loresmith.client.errors import ClientError
from loresmith.client.follower import Ask, Follower, Listen, Pause
from loresmith.client.knowledge import Update
from loresmith.client.models import Found, Job, JobToken, JobType, Stats, WebhookLog, World, WorldSummary
from loresmith.client.options import Filters
from loresmith.client.payloads import join_payload
from loresmith.client.result_types import Adapter, TypedJob
from loresmith.client.sync_job import JobHandle

T = TypeVar("T", default=Any)


class JobsClient:
    """Jobs of a LoreSmith server. Threads may share it; close it, or use it in a `with`.

    Without `base_url` it is LORESMITH_URL, else http://127.0.0.1:8080; without `api_key`, LORESMITH_API_KEY, if set.
    `timeout` bounds the wait for an answer, as in httpx: seconds, an `httpx2.Timeout`, or None for no limit;
    `timeout_seconds` is the older name. A request that is safe to repeat is repeated up to `retries` times. A wait for
    a job tolerates an unavailable server for at most `patience_seconds`.
    Every method raises the errors of `loresmith.client.errors`.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: Timeout | Unset = UNSET,
        timeout_seconds: float = DEFAULT_SECONDS,
        retries: int = 3,
        patience_seconds: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._configuration = Configuration.of(
            base_url,
            api_key,
            timeout=timeout_seconds if isinstance(timeout, Unset) else timeout,
            retries=retries,
            patience_seconds=patience_seconds,
        )
        settings: Any = exchange.arguments(self._configuration)
        self._http = httpx2.Client(**settings, transport=transport)
        self._owns_connections = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; one that `as_owner` or `with_options` returned has none of its own."""
        if self._owns_connections:
            self._http.close()

    @property
    def base_url(self) -> str:
        """The address of the server."""
        return self._configuration.base_url

    def as_owner(self, api_key: str | None) -> Self:
        """Return a client with another API key, or none, on the same connections: one for each owner or call."""
        return self.with_options(api_key=api_key)

    def with_options(
        self,
        *,
        api_key: str | Unset | None = UNSET,
        timeout: Timeout | Unset = UNSET,
        retries: int | None = None,
        patience_seconds: float | None = None,
    ) -> Self:
        """Return a client with other options on the same connections; it lives as long as this one."""
        changed = self._configuration.changed(
            api_key=api_key, timeout=timeout, retries=retries, patience=patience_seconds
        )
        other = copy.copy(self)
        vars(other).update(_configuration=changed, _owns_connections=False)
        return other

    def submit(
        self,
        type: str | TypedJob[T],  # noqa: A002 - the API's word
        payload: Mapping[str, Any] | object | None = None,
        /,
        *,
        result_type: type[T] | Adapter[T] | None = None,
        idempotency_key: str | None = None,
        wait_seconds: float = 0.0,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        priority: Priority = "normal",
        run_at: datetime | None = None,
        delay_seconds: float | None = None,
        deadline_seconds: float | None = None,
        max_attempts: int | None = None,
        webhook: Webhook | None = None,
        **fields: Any,
    ) -> JobHandle[T]:
        """Submit a job and return a handle of it.

        `type` is the name of a job type or the imported job type itself, whose result is then typed. The payload is a
        mapping or an object, or its fields are keyword arguments; a field that has the name of an option of this
        method belongs into the mapping. `result_type` is the type of the result: see `loresmith.client.result_types`.

        A request that is repeated carries the same Idempotency-Key, so that it makes one job. With a key of the
        caller's own, a later call with the same arguments returns that job, too. With `wait_seconds` (at most 60) the
        answer is the ended job, if it ends in time.
        """
        name, job_type = (type, None) if isinstance(type, str) else (type.name, type)
        reader = result_types.reader_of(job_type, result_type)
        submission = Submission(
            type=name,
            payload=join_payload(payload, fields),
            metadata=metadata or {},
            tags=tags,
            priority=priority,
            run_at=run_at,
            delay_seconds=delay_seconds,
            deadline_seconds=deadline_seconds,
            max_attempts=max_attempts,
            webhook=webhook,
        )
        job = self.call(calls.submit(submission, key=idempotency_key, wait_seconds=wait_seconds))
        return JobHandle(self, job, reader)

    def submit_batch(
        self, submissions: Sequence[Submission], *, idempotency_key: str | None = None
    ) -> Sequence[JobHandle[Any]]:
        """Submit up to 100 jobs: all are created, or none. Returns their handles in the same order."""
        jobs = self.call(calls.submit_batch(submissions, key=idempotency_key))
        return [JobHandle(self, job, result_types.AS_IT_COMES) for job in jobs]

    def job(
        self,
        job_id: str,
        *,
        job_type: TypedJob[T] | None = None,
        result_type: type[T] | Adapter[T] | None = None,
    ) -> JobHandle[T]:
        """Return a handle of a job that was submitted before, here or elsewhere."""
        reader = result_types.reader_of(job_type, result_type)
        return JobHandle(self, self.get(job_id), reader)

    def get(self, job_id: str, *, payload: bool = False) -> Job:
        """Return the job as it is now, with its `payload` if asked for."""
        return self.call(calls.get(job_id, payload=payload))

    def get_many(self, job_ids: Sequence[str]) -> Found:
        """Return up to 100 jobs, and the ids of which there is none, in one round trip."""
        return self.call(calls.get_many(job_ids))

    def wait(self, job_id: str, *, timeout: float | None = None, timeout_seconds: float | None = None) -> Job:
        """Return the job once it has ended, completed or not: see `Job.raise_for_failure`.

        Asks with questions that the server holds back until something changes. Raises WaitTimeoutError.
        """
        follower = self._follower(job_id, timeout_seconds if timeout is None else timeout, listens=False)
        for _ in self._follow(follower):
            pass
        assert follower.knowledge.job is not None
        return follower.knowledge.job

    def stream(
        self, job_id: str, *, timeout: float | None = None, timeout_seconds: float | None = None
    ) -> Generator[Update]:
        """Yield what happens to the job until it has ended; the last update has `job.done`.

        Each item is told once, in `new_items`. A stream that is cut is resumed; where there is none, or a proxy
        holds it up, the server is asked instead. Leaving it cancels nothing; close it with
        `contextlib.closing` when leaving it early. Raises WaitTimeoutError.
        """
        limit = timeout_seconds if timeout is None else timeout
        return self._follow(self._follower(job_id, limit, listens=True))

    def webhooks(self, job_id: str) -> WebhookLog:
        """Return whom the job tells of its end, and each try to do so."""
        return self.call(calls.webhooks(job_id))

    def cancel(self, job_id: str) -> Job:
        """Stop the job and return it: ended, or `cancelling`. One that has ended stays as it is."""
        return self.call(calls.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Return a new job that goes on where this failed one ended. Raises ConflictError if it has not failed."""
        return self.call(calls.retry(job_id))

    def create_token(self, job_id: str, *, scope: TokenScope = "read") -> JobToken:
        """Return a token for this one job, good for 15 minutes: for a browser, which must not have the API key."""
        return self.call(calls.create_token(job_id, scope=scope))

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended. Raises ConflictError if it has not."""
        self.call(calls.delete(job_id))

    def list(self, *, page_size: int = 50, **filters: Unpack[Filters]) -> Generator[Job]:
        """Yield jobs, newest first, page after page as they are needed."""
        cursor: str | None = None
        while True:
            page = self.call(calls.page(Filter(**filters), limit=page_size, cursor=cursor))
            yield from page.jobs
            cursor = page.next_cursor
            if cursor is None:
                return

    def job_types(self) -> Sequence[JobType]:
        """Return what can be submitted."""
        return self.call(calls.job_types())

    def stats(self) -> Stats:
        """Return how busy the server is."""
        return self.call(calls.stats())

    def pause(self, queue: str = "default") -> None:
        """Let a queue hand out no more jobs; those that run go on. Takes a key with the admin scope."""
        self.call(calls.pause(queue))

    def resume(self, queue: str = "default") -> None:
        """Let a queue hand out jobs again. Takes a key with the admin scope."""
        self.call(calls.resume(queue))

    def worlds(self, *, page_size: int = 50) -> Generator[WorldSummary]:
        """Yield saved worlds without their stories, newest first."""
        cursor: str | None = None
        while True:
            page = self.call(calls.worlds_page(limit=page_size, cursor=cursor))
            yield from page.worlds
            cursor = page.next_cursor
            if cursor is None:
                return

    def world(self, world_id: str) -> World:
        """Return a saved world, whole."""
        return self.call(calls.world(world_id))

    def delete_world(self, world_id: str) -> None:
        """Delete a saved world for good."""
        self.call(calls.delete_world(world_id))

    def call(self, call: Call[T]) -> T:
        """Make a call of `loresmith.client.calls`, again where that is safe, and return what it says."""
        again = Retrying(sleep=self._sleep, **retrying.options(call, retries=self._configuration.retries))

        def once() -> T:
            return self._once(call)

        return again(once)

    def _once(self, call: Call[T]) -> T:
        with exchange.told(self._configuration):
            response = self._http.send(exchange.request_of(self._http, call, self._configuration))
        return call.take(exchange.answer_of(response))

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _now(self) -> float:
        return time.monotonic()

    def _follower(self, job_id: str, timeout_seconds: float | None, *, listens: bool) -> Follower:
        return Follower(
            job_id,
            listens=listens,
            timeout_seconds=timeout_seconds,
            patience_seconds=self._configuration.patience_seconds,
            clock=self._now,
        )

    def _follow(self, follower: Follower) -> Generator[Update]:
        while (step := follower.step()) is not None:
            match step:
                case Pause():
                    self._sleep(step.seconds)
                case Ask():
                    for update in self._ask(follower, step):
                        yield update
                case Listen():
                    with contextlib.closing(self._listen(follower, step)) as updates:
                        for update in updates:
                            yield update

    def _ask(self, follower: Follower, step: Ask) -> Sequence[Update]:
        try:
            answer = self._once(step.call)
        except ClientError as error:
            follower.failed(error)
            return []
        return follower.answered(answer)

    def _listen(self, follower: Follower, step: Listen) -> Generator[Update]:
        request = exchange.request_of(self._http, step.call, self._configuration, silent_seconds=step.silent_seconds)
        try:
            with exchange.told(self._configuration):
                response = self._http.send(request, stream=True)
        except ClientError as error:
            follower.refused(error)
            return
        try:
            if self._opened(follower, response):
                yield from self._heard(follower, response)
        finally:
            response.close()

    def _opened(self, follower: Follower, response: httpx2.Response) -> bool:
        head = exchange.head_of(response)
        try:
            if head.status >= 300:
                with exchange.told(self._configuration):
                    checked(Answer(head.status, head.headers, response.read()))
            return follower.opened(head)
        except ClientError as error:
            follower.refused(error)
            return False

    def _heard(self, follower: Follower, response: httpx2.Response) -> Generator[Update]:
        chunks = response.iter_bytes()
        while not follower.may_leave:
            try:
                chunk = next(chunks, None)
            except httpx2.HTTPError:
                chunk = None
            if chunk is None:
                break
            yield from follower.heard(chunk)
        follower.hung_up()
