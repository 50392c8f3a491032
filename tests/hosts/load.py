"""The clients, a process on the client host: `python -m tests.hosts.load FOLDER SEED CLIENTS KEYS URL,…`.

KEYS is JSON, owner to API key. They do what callers do: submit, follow, cancel; when one API does not answer they go to
the next and ask again, with the same idempotency key. Told to stop (SIGTERM), each follows its job to the end.
"""

import asyncio
import hashlib
import json
import random
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Final, TypeVar

from loresmith.client import (
    AsyncJobsClient,
    ClientError,
    Job,
    NotFoundError,
    ServerUnreachableError,
    TooManyRequestsError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tests.chaos.ledger import Ledger

T = TypeVar("T")

PATIENCE_SECONDS: Final = 3.0
"""How long a client waits for an answer before it asks the next API."""
_PAUSE_SECONDS: Final = 0.2
_POLL_SECONDS: Final = 0.5
_STREAMS_FOR_SECONDS: Final = 20.0
_AWAY: Final = (ServerUnreachableError, UnavailableError, UnexpectedAnswerError, TooManyRequestsError)
_THEMES: Final = ("fantasy", "cyberpunk", "steampunk", "norse-mythology")


class Caller:
    """One client: does one thing after another, and notes what it was answered and how long that took."""

    def __init__(
        self, name: str, owner: str, apis: Sequence[AsyncJobsClient], ledger: Ledger, stopping: asyncio.Event
    ) -> None:
        self._name = name
        self._owner = owner
        self._apis = apis
        self._ledger = ledger
        self._stopping = stopping
        self._random = random.Random(name)
        self._at = self._random.randrange(len(apis))
        self._submitted = 0

    async def run(self, *, brief: bool = False) -> None:
        """Act until told to stop; one that is brief only submits, so that no fault goes by without a submit."""
        acts = (self._characters, self._cancelled, self._world, self._brief)
        while not self._stopping.is_set():
            weights = (0, 0, 0, 1) if brief else (70, 12, 18, 0)
            act: Callable[[], Awaitable[None]] = self._random.choices(acts, weights)[0]
            try:
                await act()
            except NotFoundError:
                pass  # noted where it was met
            except Exception as error:
                self._ledger.note("surprise", act=act.__name__, error=repr(error), trace=traceback.format_exc())

    async def _characters(self) -> None:
        job = await self._submit("generate_characters", {"theme": self._theme, "count": self._random.randint(1, 4)})
        await self._follow(job)

    async def _world(self) -> None:
        job = await self._submit("create_world", {"theme": self._theme, "user_id": self._owner})
        await self._follow(job)

    async def _cancelled(self) -> None:
        job = await self._submit("generate_characters", {"theme": self._theme, "count": 4})
        await asyncio.sleep(self._random.uniform(0.0, 1.5))
        job = await self._ask("cancel", lambda api: api.cancel(job.id), job.id)
        self._ledger.note("cancel", job.id, state=job.state, done=job.done)
        await self._follow(job)

    async def _brief(self) -> None:
        job = await self._submit("generate_characters", {"theme": self._theme, "count": 1})
        await asyncio.sleep(_POLL_SECONDS)
        await self._look(job)

    @property
    def _theme(self) -> str:
        return self._random.choice(_THEMES)

    async def _submit(self, name: str, payload: dict[str, object]) -> Job:
        """Submit under a key, and now and then once more, as one does who lost the answer."""
        self._submitted += 1
        key = f"{self._name}-{self._submitted}"

        async def submit(api: AsyncJobsClient) -> Job:
            handle = await api.submit(name, payload, idempotency_key=key, metadata={"key": key})
            return handle.snapshot

        jobs = [await self._ask("submit", submit)]
        self._ledger.note("accepted", jobs[0].id, type=name)
        if self._random.random() < 0.15:
            jobs.append(await self._ask("submit", submit))
        self._ledger.note("key", key=key, jobs=[job.id for job in jobs])
        return jobs[0]

    async def _follow(self, job: Job) -> None:
        if self._random.random() < 0.3:
            job = await self._listen(job)
        while not job.done:
            await asyncio.sleep(_POLL_SECONDS)
            job = await self._look(job)
        self._ledger.note("ended", job.id, state=job.state, result=digest_of(job.result))

    async def _look(self, before: Job) -> Job:
        now = await self._ask("read", lambda api: api.get(before.id), before.id)
        self._compare(before, now)
        return now

    async def _listen(self, job: Job) -> Job:
        """Follow the events of a job for as long as they come."""
        try:
            async with aclosing(self._api.stream(job.id, timeout_seconds=_STREAMS_FOR_SECONDS)) as updates:
                async for update in updates:
                    self._compare(job, update.job)
                    job = update.job
            self._ledger.note("listened", job.id)
        except ClientError as error:
            self._ledger.note("stream_lost", job.id, error=type(error).__name__)
        return job

    def _compare(self, before: Job, now: Job) -> None:
        if now.progress < before.progress or now.seq < before.seq or (before.done and now.seq != before.seq):
            facts = f"{before.state} {before.progress} % seq {before.seq}, then {now.state} {now.progress} % {now.seq}"
            self._ledger.note("went_back", now.id, text=facts)

    @property
    def _api(self) -> AsyncJobsClient:
        return self._apis[self._at]

    async def _ask(self, act: str, call: Callable[[AsyncJobsClient], Awaitable[T]], job_id: str = "") -> T:
        """Ask one API after the other until one answers."""
        began, tries = time.monotonic(), 1
        while True:
            api = self._api
            try:
                answer = await call(api)
            except NotFoundError:
                self._ledger.note("missing", job_id, act=act)
                raise
            except _AWAY as error:
                self._ledger.note("away", job_id, act=act, api=api.base_url, error=str(error))
                self._at = (self._at + 1) % len(self._apis)
                tries += 1
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            seconds = round(time.monotonic() - began, 3)
            self._ledger.note("served", job_id, act=act, who=self._name, began=began, seconds=seconds, tries=tries)
            return answer


def _client(url: str, key: str) -> AsyncJobsClient:
    return AsyncJobsClient(url, key, retries=0, timeout_seconds=PATIENCE_SECONDS, patience_seconds=PATIENCE_SECONDS)


def digest_of(result: object) -> str:
    """Return what tells two results apart."""
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()[:16]


async def main(folder: Path, seed: str, clients: int, keys: Mapping[str, str], urls: Sequence[str]) -> None:
    """Let the clients act until SIGTERM."""
    ledger = Ledger(folder / "load.ledger")
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with AsyncExitStack() as stack:
        callers: list[Caller] = []
        for number in range(clients):
            owner, key = list(keys.items())[number % len(keys)]
            apis = [_client(url, key) for url in urls]
            for api in apis:
                await stack.enter_async_context(api)
            callers.append(Caller(f"{seed}-{number}", owner, apis, ledger, stopping))
        await asyncio.gather(*(caller.run(brief=number < 2) for number, caller in enumerate(callers)))
    ledger.close()


if __name__ == "__main__":
    folder, seed, clients, owners, urls = sys.argv[1:]
    asyncio.run(main(Path(folder), seed, int(clients), json.loads(owners), urls.split(",")))
