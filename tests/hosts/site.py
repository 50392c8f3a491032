"""All hosts with what runs on them, started together, and what can be seen of them from the switch."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx2
import psycopg
from redis.exceptions import RedisError

from loresmith.db import Database, Keys, locate
from loresmith.db.schema import migrate
from loresmith.jobs import keys
from loresmith.jobs.connection import Connections
from tests.chaos.children import Child
from tests.chaos.evidence import QUEUE
from tests.db.postgres import Postgres
from tests.hosts.plan import API_PORT, CLIENT, LORE_PORT, POSTGRES, SERVICE, Plan
from tests.hosts.servers import RedisHost
from tests.hosts.switch import Switch
from tests.waiting import wait_until

START_SECONDS: Final = 300.0
_DRAIN_SECONDS: Final = 90.0
OWNERS: Final = ("ann", "bob")


class Site:
    """The hosts of a plan."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.switch = Switch(plan.addresses, plan.names, folder)
        self.switch.build()
        self.redis = [RedisHost(name, self.switch, folder, primary=plan.redis[0]) for name in plan.redis]
        self.postgres = self.switch.on_host(POSTGRES, lambda: Postgres(listen=plan.addresses[POSTGRES]))
        self._lore_token = secrets.token_hex()
        self.processes = {host: self._process(host) for host in (*plan.lore, *plan.worker, *plan.api)}
        """host → its `loresmith` process"""
        self.watching: Any = Connections(plan.redis_url).client()

    async def open(self) -> dict[str, str]:
        """Start everything and return when all of it can serve; gives an API key for each owner."""
        await asyncio.gather(*(host.start() for host in self.redis), asyncio.to_thread(self._start_postgres))
        await wait_until(_tolerant(self._replicas_follow), seconds=START_SECONDS)
        await asyncio.gather(*(host.watch() for host in self.redis))
        await wait_until(_tolerant(lambda: all(host.is_watched for host in self.redis)), seconds=START_SECONDS)
        location = locate(self.plan.database_url, data_dir=self.folder)
        await migrate(location)
        database = Database(location)
        made = {owner: (await Keys(database).create(owner))[0] for owner in OWNERS}
        await database.close()
        await asyncio.gather(*(process.start() for process in self.processes.values()))
        await asyncio.gather(*(self.ready(host) for host in self.processes))
        return made

    def _start_postgres(self) -> None:
        self.switch.on_host(POSTGRES, self.postgres.start)

    def _replicas_follow(self) -> bool:
        first, *others = self.redis
        return all(one.follows == first.address for one in others)

    def _process(self, host: str) -> Child:
        kind = host.partition("-")[0]
        command = {"api": "serve", "worker": "worker", "lore": "lore"}[kind]
        program = str(Path(sys.executable).with_name("loresmith"))
        words = [*self.switch.entered(host), program, command]
        settings = {f"LORESMITH_{name}": value for name, value in self._settings(host, kind).items()}
        own = {name: value for name, value in os.environ.items() if not name.startswith("LORESMITH_")}
        return Child(host, self.folder, lambda: words, environment={**own, **settings}, directory=self.folder)

    def _settings(self, host: str, kind: str) -> Mapping[str, str]:
        shared = {
            "REDIS_URL": self.plan.redis_url,
            "DATABASE_URL": self.plan.database_url,
            "LORE_TOKEN": self._lore_token,
            "LOG_FORMAT": "json",
        }
        if kind == "api":
            own = {"HOST": self.plan.addresses[host], "PORT": str(API_PORT), "AUTH": "keys", "REDIS_REPLICAS": "1"}
            return {**shared, **own, "OWNER_REQUESTS_PER_MINUTE": "0"}
        if kind == "worker":
            return {**shared, "LORE_URL": f"{SERVICE}:{LORE_PORT}", "WORKER_CONCURRENCY": "16"}
        model = f"fake?seconds={self.plan.call_seconds}&tokens=40&slots=64"
        return {**shared, "LORE_LISTEN": f"0.0.0.0:{LORE_PORT}", "MODEL": model}

    async def ready(self, host: str) -> None:
        """Return when the process of a host can serve."""
        kind = host.partition("-")[0]
        look = {"api": self._api_answers, "worker": self._worker_beats, "lore": self._lore_listens}[kind]
        await wait_until(_tolerant(lambda: look(host)), seconds=START_SECONDS)

    async def _api_answers(self, host: str) -> bool:
        async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as http:
            answer = await http.get(f"http://{self.plan.addresses[host]}:{API_PORT}/readyz")
        return answer.status_code == 200

    async def _worker_beats(self, host: str) -> bool:
        start = f"{host}-{self.processes[host].pid}-"
        return any(name.decode().startswith(start) for name in await self.watching.zrange(keys.WORKERS, 0, -1))

    async def _lore_listens(self, host: str) -> bool:
        _, writer = await asyncio.open_connection(self.plan.addresses[host], LORE_PORT)
        writer.close()
        return True

    async def restart(self, host: str) -> int:
        """Stop the process of a host as an operator would, start it again, return its exit code when it serves."""
        process = self.processes[host]
        process.signal(signal.SIGTERM)
        async with asyncio.timeout(_DRAIN_SECONDS):
            code = await process.ended()
        await process.start()
        await self.ready(host)
        return code

    def primary(self, *, asked: Iterable[RedisHost] = ()) -> RedisHost:
        """The Redis that is the primary, as the Sentinels of these hosts say, of all by default. Raises LookupError."""
        named = {host.named_primary for host in asked or self.redis}
        for host in self.redis:
            if named == {host.address}:
                return host
        raise LookupError(f"the Sentinels do not agree: {named}")

    async def running(self) -> dict[str, str]:
        """Job → the worker that holds its lease, of all jobs that run."""
        references = await self.watching.zrange(QUEUE.open, 0, -1)
        ids = sorted({reference.decode().partition(":")[0] for reference in references})
        leases: list[bytes | None] = await self.watching.mget([keys.lease(job_id) for job_id in ids]) if ids else []
        holders = [(lease or b"").decode().partition(":")[2].partition(":")[0] for lease in leases]
        return {job_id: holder for job_id, holder in zip(ids, holders, strict=True) if holder}

    async def held_by(self, host: str) -> set[str]:
        """The jobs that the worker of a host holds; none while Redis is away."""
        with suppress(RedisError, OSError):
            return {job_id for job_id, worker in (await self.running()).items() if worker.startswith(f"{host}-")}
        return set()

    async def is_cut_off(self, host: str) -> bool:
        return not await self.switch.reaches(CLIENT, host)

    async def is_joined(self, host: str) -> bool:
        return await self.switch.reaches(CLIENT, host)

    def calls_answered(self, host: str) -> int:
        """How many calls a lore host has answered, as its log has it."""
        return (self.folder / f"{host}.log").read_bytes().count(b'"generation finished"')

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read from the database."""
        with psycopg.connect(self.plan.database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    async def unrecorded(self) -> int:
        """How many ends of jobs the history has not acknowledged."""
        groups = await self.watching.xinfo_groups(QUEUE.ended)
        return sum(int(group["pending"]) + int(group["lag"] or 0) for group in groups)

    async def close(self) -> None:
        """End every process, whatever state it is in; what is left, the kernel ends with this one."""
        await self.watching.aclose()
        servers = [child for host in self.redis for child in (host.server, host.sentinel)]
        await asyncio.gather(*(child.kill() for child in (*self.processes.values(), *servers)))
        await asyncio.to_thread(self.postgres.close)


def _tolerant(look: Callable[[], Awaitable[bool] | bool]) -> Callable[[], Awaitable[bool]]:
    """What asks servers that may not be there yet."""

    async def looked() -> bool:
        try:
            found = await asyncio.to_thread(look)
            return found if isinstance(found, bool) else await found
        except (RedisError, OSError, httpx2.HTTPError, LookupError):
            return False

    return looked
