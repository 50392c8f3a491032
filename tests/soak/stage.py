"""The processes of a soak: Redis, PostgreSQL or SQLite, the lore service, two workers and the API, all as shipped."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx2

from loresmith.jobs.connection import Connections
from tests.chaos.children import Child, RedisChild
from tests.chaos.ledger import Ledger
from tests.db.postgres import Postgres
from tests.e2e.conftest import environment, free_port, loresmith
from tests.waiting import wait_until

CONCURRENCY: Final = 32
"""Jobs that one worker runs at once; the rest of those in flight wait."""
_MODEL: Final = "fake?seconds=3&tokens=10&slots=400&error_rate=0.03&seed=7"
_RESTART_SECONDS: Final = 20.0
_DRAIN_SECONDS: Final = 75.0
_START_SECONDS: Final = 240.0


class Stage:
    """Everything that runs. The worker `steady` lives as long as the soak does, `restarted` is ended all the time."""

    def __init__(self, folder: Path, *, postgres: bool) -> None:
        self.ledger = Ledger(folder / "stage.ledger")
        self.redis = RedisChild(folder, fsync="everysec")
        self.postgres = Postgres() if postgres else None
        port, lore = free_port(), f"127.0.0.1:{free_port()}"
        self.url = f"http://127.0.0.1:{port}"
        self.database_url = f"sqlite:///{folder / 'soak.sqlite3'}"
        if self.postgres is not None:
            self.postgres.start()
            self.database_url = self.postgres.create("soak")
        self.variables = environment(
            folder / "data",
            port=str(port),
            model=_MODEL,
            redis_url=f"unix://{self.redis.socket}",
            database_url=self.database_url,
            lore_listen=lore,
            lore_url=lore,
            worker_concurrency=str(CONCURRENCY),
            log_format="json",
        )
        self._folder = folder
        self.lore, self.api = self._child("lore", "lore"), self._child("api", "serve")
        self.steady, self.restarted = self._child("worker-steady", "worker"), self._child("worker-restarted", "worker")

    def _child(self, name: str, command: str) -> Child:
        return Child(
            name, self._folder, lambda: [loresmith(), command], environment=self.variables, directory=self._folder
        )

    @property
    def lasting(self) -> dict[str, Child]:
        """The processes that are never restarted, by the name that they have in the table."""
        return {"API": self.api, "lore service": self.lore, "worker": self.steady, "Redis": self.redis}

    def redis_client(self) -> Any:
        """A client of the Redis of the soak; whoever asks for it closes it."""
        return Connections(f"unix://{self.redis.socket}").client()

    async def open(self) -> None:
        """Start everything and return when the API is ready."""
        await self.redis.start()
        migrating = self._child("migrate", "migrate")
        await migrating.start()
        assert await migrating.ended() == 0, "see migrate.log"
        await asyncio.gather(*(child.start() for child in (self.lore, self.api, self.steady, self.restarted)))
        async with httpx2.AsyncClient(base_url=self.url, trust_env=False) as http:
            await wait_until(lambda: _is_ready(http), seconds=_START_SECONDS)

    async def keep_restarting(self) -> None:
        """End one of the workers and start it again until cancelled: told to stop and killed, in turn."""
        while True:
            await asyncio.sleep(_RESTART_SECONDS)
            await self._drained()
            await self._started_again()
            await asyncio.sleep(_RESTART_SECONDS)
            self.ledger.note("killed", pid=self.restarted.pid)
            await self.restarted.kill()
            await self._started_again()

    async def _started_again(self) -> None:
        """Start the worker and return when it listens to signals, which takes long on a busy machine."""
        before = self._starts()
        await self.restarted.start()
        await wait_until(lambda: self._starts() > before, seconds=_START_SECONDS)

    def _starts(self) -> int:
        return self.restarted.log.read_bytes().count(b"worker started")

    async def make_whole(self) -> None:
        """Start the worker again that an interrupted restart left away."""
        if not self.restarted.is_running:
            await self.restarted.start()

    async def _drained(self) -> None:
        pid, code = self.restarted.pid, None
        self.ledger.note("drained", pid=pid)
        self.restarted.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            code = await asyncio.wait_for(self.restarted.ended(), _DRAIN_SECONDS)
        if code != 0:
            await self.restarted.kill()
            self.ledger.note("surprise", act="SIGTERM of a worker", error=f"exit code {code}", pid=pid)

    async def stop(self) -> None:
        """Let the processes of LoreSmith end in order; Redis and the database stay."""
        parts = (self.api, self.steady, self.restarted, self.lore)
        for child in parts:
            child.signal(signal.SIGTERM)
        for child in parts:
            code = None
            with suppress(TimeoutError):
                code = await asyncio.wait_for(child.ended(), _DRAIN_SECONDS)
            if code != 0:
                self.ledger.note("surprise", act=f"SIGTERM of {child.name}", error=f"exit code {code}")

    async def close(self) -> None:
        """End whatever still runs."""
        children = (self.api, self.steady, self.restarted, self.lore, self.redis)
        await asyncio.gather(*(child.kill() for child in children))
        if self.postgres is not None:
            self.postgres.close()
        self.ledger.close()


async def _is_ready(http: httpx2.AsyncClient) -> bool:
    with suppress(httpx2.TransportError):
        return (await http.get("/readyz")).status_code == 200
    return False
