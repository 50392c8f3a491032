"""The client for plain code; the same as `AsyncJobsClient`, method by method."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from tenacity import Retrying
from typing_extensions import Unpack

from loresmith.client import calls, exchange, retrying
from loresmith.client.answers import Answer, checked
from loresmith.client.calls import Call, Filter, Submission
from loresmith.client.configuration import Configuration
from loresmith.client.errors import ClientError
from loresmith.client.follower import Ask, Follower, Listen, Pause
from loresmith.client.knowledge import Update
from loresmith.client.models import Found, Job, JobType, Stats, WebhookLog, World, WorldSummary
from loresmith.client.options import Filters, JobOptions

T = TypeVar("T")


class JobsClient:
    """Jobs of a LoreSmith server. May be shared by threads; close it, or use it in a `with`.

    Without `base_url` it is LORESMITH_URL, else http://127.0.0.1:8080; without `api_key`, LORESMITH_API_KEY, if set.
    A request waits for its answer at most `timeout_seconds`; one that may be made again, is, up to `retries` times.
    Whoever waits for a job sits out a server that is away for at most `patience_seconds`.
    Every method raises the errors of `loresmith.client.errors`.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        retries: int = 3,
        patience_seconds: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._configuration = Configuration.of(
            base_url, api_key, timeout_seconds=timeout_seconds, retries=retries, patience_seconds=patience_seconds
        )
        settings = exchange.arguments(self._configuration)
        self._http = httpx2.Client(**settings, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    @property
    def base_url(self) -> str:
        """Where the server is."""
        return self._configuration.base_url

    def submit(
        self,
        type: str,  # noqa: A002 - the API's word
        payload: dict[str, Any],
        *,
        idempotency_key: str | None = None,
        wait_seconds: float = 0.0,
        **options: Unpack[JobOptions],
    ) -> Job:
        """Submit a job and return it, once: a request that is repeated carries the same Idempotency-Key.

        With a key of the caller's own, a later call with the same arguments returns that job, too. With
        `wait_seconds` (at most 60) the answer is the ended job, if it ends in time.
        """
        submission = Submission(type=type, payload=payload, **options)
        return self.call(calls.submit(submission, key=idempotency_key, wait_seconds=wait_seconds))

    def submit_batch(self, submissions: Sequence[Submission], *, idempotency_key: str | None = None) -> Sequence[Job]:
        """Submit up to 100 jobs: all are created, or none. Returns them in the same order."""
        return self.call(calls.submit_batch(submissions, key=idempotency_key))

    def get(self, job_id: str, *, payload: bool = False) -> Job:
        """Return the job as it is now, with its `payload` if asked for."""
        return self.call(calls.get(job_id, payload=payload))

    def get_many(self, job_ids: Sequence[str]) -> Found:
        """Return up to 100 jobs, and the ids of which there is none, in one round trip."""
        return self.call(calls.get_many(job_ids))

    def wait(self, job_id: str, *, timeout_seconds: float | None = None) -> Job:
        """Return the job once it has ended, completed or not: see `Job.raise_for_failure`.

        Asks with questions that the server holds back until something changes. Raises WaitTimeoutError.
        """
        follower = self._follower(job_id, timeout_seconds, listens=False)
        for _ in self._follow(follower):
            pass
        assert follower.knowledge.job is not None
        return follower.knowledge.job

    def stream(self, job_id: str, *, timeout_seconds: float | None = None) -> Iterator[Update]:
        """Yield what happens to the job until it has ended; the last update has `job.done`.

        Each item is told once, in `new_items`. A stream that is cut is resumed; where there is none, or a proxy
        holds it up, the server is asked instead. Leaving it cancels nothing. Raises WaitTimeoutError.
        """
        return self._follow(self._follower(job_id, timeout_seconds, listens=True))

    def webhooks(self, job_id: str) -> WebhookLog:
        """Return whom the job tells of its end, and each try to do so."""
        return self.call(calls.webhooks(job_id))

    def cancel(self, job_id: str) -> Job:
        """Stop the job and return it: ended, or `cancelling`. One that has ended stays as it is."""
        return self.call(calls.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Return a new job that goes on where this failed one ended. Raises ConflictError if it has not failed."""
        return self.call(calls.retry(job_id))

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended. Raises ConflictError if it has not."""
        self.call(calls.delete(job_id))

    def list(self, *, page_size: int = 50, **filters: Unpack[Filters]) -> Iterator[Job]:
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

    def worlds(self, *, page_size: int = 50) -> Iterator[WorldSummary]:
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
        return again(lambda: self._once(call))

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

    def _follow(self, follower: Follower) -> Iterator[Update]:
        while (step := follower.step()) is not None:
            match step:
                case Pause():
                    self._sleep(step.seconds)
                case Ask():
                    yield from self._ask(follower, step)
                case Listen():
                    yield from self._listen(follower, step)

    def _ask(self, follower: Follower, step: Ask) -> Sequence[Update]:
        try:
            answer = self._once(step.call)
        except ClientError as error:
            follower.failed(error)
            return []
        return follower.answered(answer)

    def _listen(self, follower: Follower, step: Listen) -> Iterator[Update]:
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

    def _heard(self, follower: Follower, response: httpx2.Response) -> Iterator[Update]:
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
