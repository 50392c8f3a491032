"""A submitter process of the loop: `python -m tests.chaos.submitter URL FOLDER SEED`."""

import asyncio
import os
import random
import signal
import sys
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from loresmith.jobs import Job, JobManager, JobNotFoundError, NotRetryableError, Options, Priority
from loresmith.jobs.connection import Connections
from loresmith.jobs.errors import QueueFullError, StoreUnavailableError, TooManyActiveJobsError
from tests.chaos.handlers import REGISTRY
from tests.chaos.ledger import Ledger

CLIENTS: Final = 6
OPEN_LIMIT: Final = 60
OWNER_LIMIT: Final = 12
_PAUSE_SECONDS: Final = 1.2
# how often each job type is asked for, and the seconds that a piece of it takes
_TYPES: Final[dict[str, tuple[int, float, float]]] = {
    "items": (30, 0.05, 0.8),
    "together": (12, 0.05, 0.6),
    "steps": (15, 0.05, 0.8),
    "broken": (12, 0.02, 0.3),
    "long": (8, 0.1, 0.6),
    "quick": (16, 0.0, 0.0),
    "blocking": (3, 0.2, 3.0),
    "endless": (1, 0.0, 0.0),
}


class Submitter:
    """Does what many clients do, in an order that the seed gives, and notes what it was answered."""

    def __init__(self, manager: JobManager, ledger: Ledger, seed: str) -> None:
        self._manager = manager
        self._ledger = ledger
        self._random = random.Random(seed)
        self._known: deque[str] = deque(maxlen=200)
        self._retryable: deque[str] = deque(maxlen=50)
        self._stopping = asyncio.Event()
        self._asked = 0
        self._seed = seed

    def stop(self) -> None:
        """End after what is under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Act as several clients at once until `stop`."""
        await asyncio.gather(*(self._client() for _ in range(CLIENTS)))

    async def _client(self) -> None:
        acts = (self._single, self._delayed, self._batch, self._once, self._cancel, self._retry)
        while not self._stopping.is_set():
            act: Callable[[], Awaitable[None]] = self._random.choices(acts, weights=(40, 8, 8, 14, 15, 15))[0]
            try:
                await act()
            except StoreUnavailableError:
                self._ledger.note("unavailable", act=act.__name__)
            except JobNotFoundError as error:
                self._ledger.note("missing", error.job_id, act=act.__name__)
            except Exception as error:
                self._ledger.note("surprise", act=act.__name__, error=repr(error), trace=traceback.format_exc())
            await asyncio.sleep(self._random.uniform(0.0, _PAUSE_SECONDS))

    async def _single(self) -> None:
        await self._submit(self._manager.create)

    async def _delayed(self) -> None:
        delay = self._random.uniform(0.1, 4.0)
        await self._submit(self._manager.create, delay=delay)

    async def _once(self) -> None:
        """Submit under one idempotency key again and again, until it is answered and once more."""
        key, jobs = f"{self._seed}-{self._random.getrandbits(64):x}", list[Job]()

        async def create(name: str, order: object, options: Options) -> Job:
            errors: list[BaseException] = []
            for _ in range(6):
                both = [self._manager.create_once(name, order, options, key=key) for _ in range(2)]
                replies = await asyncio.gather(*both, return_exceptions=True)
                jobs.extend(reply[0] for reply in replies if not isinstance(reply, BaseException))
                errors = [reply for reply in replies if isinstance(reply, BaseException)]
                if not any(isinstance(error, StoreUnavailableError) for error in errors):
                    break
                self._ledger.note("unavailable", act="_once")
            if not jobs:
                raise errors[0]
            self._ledger.note("key", key=key, jobs=[job.id for job in jobs])
            return jobs[0]

        await self._submit(create, key=key)

    async def _batch(self) -> None:
        asked = [self._order() for _ in range(self._random.randint(2, 6))]
        for _, _, options in asked:
            self._ledger.note("asked", **options.metadata)
        try:
            jobs = await self._manager.create_all(asked)
        except (QueueFullError, TooManyActiveJobsError):
            for _, _, options in asked:
                self._ledger.note("turned_away", **options.metadata)
            return
        for job in jobs:
            self._accepted(job)

    async def _submit(
        self, create: Callable[[str, object, Options], Awaitable[Job]], *, delay: float = 0.0, key: str = ""
    ) -> None:
        name, order, options = self._order(delay=delay, key=key)
        self._ledger.note("asked", **options.metadata)
        try:
            self._accepted(await create(name, order, options))
        except (QueueFullError, TooManyActiveJobsError):
            self._ledger.note("turned_away", **options.metadata)

    def _accepted(self, job: Job) -> None:
        self._ledger.note("accepted", job.id, type=job.type, retry_of=job.retry_of)
        self._known.append(job.id)
        if job.type == "broken":
            self._retryable.append(job.id)

    async def _cancel(self) -> None:
        if not self._known:
            return
        job_id = self._random.choice(self._known)
        self._ledger.note("cancelling", job_id)
        job = await self._manager.cancel(job_id)
        self._ledger.note("cancel", job_id, state=job.state, done=job.done)
        self._retryable.append(job_id)

    async def _retry(self) -> None:
        """Retry a job that failed, often by a double click."""
        if not self._retryable:
            return
        job_id = self._random.choice(self._retryable)
        clicks = [self._manager.retry(job_id) for _ in range(self._random.randint(1, 3))]
        for reply in await asyncio.gather(*clicks, return_exceptions=True):
            match reply:
                case Job():
                    self._accepted(reply)
                case NotRetryableError() | QueueFullError() | TooManyActiveJobsError():
                    self._ledger.note("not_retried", job_id, why=type(reply).__name__)
                case _:
                    raise reply

    def _order(self, *, delay: float = 0.0, key: str = "") -> tuple[str, object, Options]:
        pick = self._random
        name = pick.choices(list(_TYPES), weights=[weight for weight, _, _ in _TYPES.values()])[0]
        _, least, most = _TYPES[name]
        order = {"count": pick.randint(1, 5), "seconds": round(pick.uniform(least, most), 3)}
        if pick.random() < 0.2:
            order.update(failing_attempts=pick.randint(1, 2), fails_at=pick.randint(0, 2))
        owner, limit = pick.choice((("local", 0), ("local", 0), ("ann", 1), ("bob", 3)))
        self._asked += 1
        metadata: dict[str, Any] = {"token": f"{self._seed}-{self._asked}", "key": key}
        priority = pick.choice((Priority.HIGH, Priority.NORMAL, Priority.NORMAL, Priority.LOW))
        return name, order, Options(owner, priority, delay, running_limit=limit, metadata=metadata)


async def main(url: str, folder: Path, seed: str) -> None:
    """Submit until SIGTERM."""
    ledger = Ledger(folder / f"submitter-{os.getpid()}.ledger")
    client = Connections(url).client()
    manager = JobManager(redis=client, registry=REGISTRY, limit=OPEN_LIMIT, owner_limit=OWNER_LIMIT)
    submitter = Submitter(manager, ledger, seed)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, submitter.stop)
    await submitter.run()
    await client.aclose()
    ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
