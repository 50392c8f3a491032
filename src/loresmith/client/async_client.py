"""The client for asyncio; the same as `JobsClient`, method by method."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from tenacity import AsyncRetrying
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


class AsyncJobsClient:
    """Jobs of a LoreSmith server. Belongs to one event loop; close it, or use it in an `async with`.

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
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._configuration = Configuration.of(
            base_url, api_key, timeout_seconds=timeout_seconds, retries=retries, patience_seconds=patience_seconds
        )
        settings: Any = exchange.arguments(self._configuration)
        self._http = httpx2.AsyncClient(**settings, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    @property
    def base_url(self) -> str:
        """Where the server is."""
        return self._configuration.base_url

    async def submit(
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
        return await self.call(calls.submit(submission, key=idempotency_key, wait_seconds=wait_seconds))

    async def submit_batch(
        self, submissions: Sequence[Submission], *, idempotency_key: str | None = None
    ) -> Sequence[Job]:
        """Submit up to 100 jobs: all are created, or none. Returns them in the same order."""
        return await self.call(calls.submit_batch(submissions, key=idempotency_key))

    async def get(self, job_id: str, *, payload: bool = False) -> Job:
        """Return the job as it is now, with its `payload` if asked for."""
        return await self.call(calls.get(job_id, payload=payload))

    async def get_many(self, job_ids: Sequence[str]) -> Found:
        """Return up to 100 jobs, and the ids of which there is none, in one round trip."""
        return await self.call(calls.get_many(job_ids))

    async def wait(self, job_id: str, *, timeout_seconds: float | None = None) -> Job:
        """Return the job once it has ended, completed or not: see `Job.raise_for_failure`.

        Asks with questions that the server holds back until something changes. Raises WaitTimeoutError.
        """
        follower = self._follower(job_id, timeout_seconds, listens=False)
        async for _ in self._follow(follower):
            pass
        assert follower.knowledge.job is not None
        return follower.knowledge.job

    def stream(self, job_id: str, *, timeout_seconds: float | None = None) -> AsyncGenerator[Update]:
        """Yield what happens to the job until it has ended; the last update has `job.done`.

        Each item is told once, in `new_items`. A stream that is cut is resumed; where there is none, or a proxy
        holds it up, the server is asked instead. Leaving it cancels nothing; who leaves it early closes it
        (`contextlib.aclosing`). Raises WaitTimeoutError.
        """
        return self._follow(self._follower(job_id, timeout_seconds, listens=True))

    async def webhooks(self, job_id: str) -> WebhookLog:
        """Return whom the job tells of its end, and each try to do so."""
        return await self.call(calls.webhooks(job_id))

    async def cancel(self, job_id: str) -> Job:
        """Stop the job and return it: ended, or `cancelling`. One that has ended stays as it is."""
        return await self.call(calls.cancel(job_id))

    async def retry(self, job_id: str) -> Job:
        """Return a new job that goes on where this failed one ended. Raises ConflictError if it has not failed."""
        return await self.call(calls.retry(job_id))

    async def delete(self, job_id: str) -> None:
        """Forget a job that has ended. Raises ConflictError if it has not."""
        await self.call(calls.delete(job_id))

    async def list(self, *, page_size: int = 50, **filters: Unpack[Filters]) -> AsyncGenerator[Job]:
        """Yield jobs, newest first, page after page as they are needed."""
        cursor: str | None = None
        while True:
            page = await self.call(calls.page(Filter(**filters), limit=page_size, cursor=cursor))
            for job in page.jobs:
                yield job
            cursor = page.next_cursor
            if cursor is None:
                return

    async def job_types(self) -> Sequence[JobType]:
        """Return what can be submitted."""
        return await self.call(calls.job_types())

    async def stats(self) -> Stats:
        """Return how busy the server is."""
        return await self.call(calls.stats())

    async def pause(self, queue: str = "default") -> None:
        """Let a queue hand out no more jobs; those that run go on. Takes a key with the admin scope."""
        await self.call(calls.pause(queue))

    async def resume(self, queue: str = "default") -> None:
        """Let a queue hand out jobs again. Takes a key with the admin scope."""
        await self.call(calls.resume(queue))

    async def worlds(self, *, page_size: int = 50) -> AsyncGenerator[WorldSummary]:
        """Yield saved worlds without their stories, newest first."""
        cursor: str | None = None
        while True:
            page = await self.call(calls.worlds_page(limit=page_size, cursor=cursor))
            for world in page.worlds:
                yield world
            cursor = page.next_cursor
            if cursor is None:
                return

    async def world(self, world_id: str) -> World:
        """Return a saved world, whole."""
        return await self.call(calls.world(world_id))

    async def delete_world(self, world_id: str) -> None:
        """Delete a saved world for good."""
        await self.call(calls.delete_world(world_id))

    async def call(self, call: Call[T]) -> T:
        """Make a call of `loresmith.client.calls`, again where that is safe, and return what it says."""
        again = AsyncRetrying(sleep=self._sleep, **retrying.options(call, retries=self._configuration.retries))
        return await again(self._once, call)

    async def _once(self, call: Call[T]) -> T:
        with exchange.told(self._configuration):
            response = await self._http.send(exchange.request_of(self._http, call, self._configuration))
        return call.take(exchange.answer_of(response))

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

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

    async def _follow(self, follower: Follower) -> AsyncGenerator[Update]:
        while (step := follower.step()) is not None:
            match step:
                case Pause():
                    await self._sleep(step.seconds)
                case Ask():
                    for update in await self._ask(follower, step):
                        yield update
                case Listen():
                    async with contextlib.aclosing(self._listen(follower, step)) as updates:
                        async for update in updates:
                            yield update

    async def _ask(self, follower: Follower, step: Ask) -> Sequence[Update]:
        try:
            answer = await self._once(step.call)
        except ClientError as error:
            follower.failed(error)
            return []
        return follower.answered(answer)

    async def _listen(self, follower: Follower, step: Listen) -> AsyncGenerator[Update]:
        request = exchange.request_of(self._http, step.call, self._configuration, silent_seconds=step.silent_seconds)
        try:
            with exchange.told(self._configuration):
                response = await self._http.send(request, stream=True)
        except ClientError as error:
            follower.refused(error)
            return
        try:
            if await self._opened(follower, response):
                async for update in self._heard(follower, response):
                    yield update
        finally:
            await response.aclose()

    async def _opened(self, follower: Follower, response: httpx2.Response) -> bool:
        head = exchange.head_of(response)
        try:
            if head.status >= 300:
                with exchange.told(self._configuration):
                    checked(Answer(head.status, head.headers, await response.aread()))
            return follower.opened(head)
        except ClientError as error:
            follower.refused(error)
            return False

    async def _heard(self, follower: Follower, response: httpx2.Response) -> AsyncGenerator[Update]:
        chunks = response.aiter_bytes()
        while not follower.may_leave:
            try:
                chunk = await anext(chunks, None)
            except httpx2.HTTPError:
                chunk = None
            if chunk is None:
                break
            for update in follower.heard(chunk):
                yield update
        follower.hung_up()
