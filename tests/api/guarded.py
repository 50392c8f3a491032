"""The API as it is where callers must show who they are, built from settings as `loresmith serve` does."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI

from loresmith.api import create_app
from loresmith.api.access import Access
from loresmith.api.configured import access_of, active_jobs
from loresmith.bootstrap import build_manager
from loresmith.db import ADMIN, Database, Keys, Worlds
from loresmith.jobs import JobManager, JobRegistry
from loresmith.settings import load_settings

Client = httpx2.AsyncClient


@dataclass
class Guarded:
    """An app in this process, and clients of it."""

    app: FastAPI
    access: Access
    manager: JobManager
    keys: Keys
    _stack: contextlib.AsyncExitStack
    made: list[str] = field(default_factory=list[str])
    """Keys, as they were shown."""

    async def owner(self, name: str, *, admin: bool = False) -> Client:
        """Return a client with a new key."""
        key, _ = await self.keys.create(name, scopes=[ADMIN] if admin else [])
        self.made.append(key)
        return await self.client(key)

    async def client(self, bearer: str | None = None, base_url: str = "http://localhost") -> Client:
        """Return a client that shows this, or nothing."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx2.AsyncClient(transport=transport, base_url=base_url, headers=headers)
        return await self._stack.enter_async_context(client)


@contextlib.asynccontextmanager
async def guarded(redis: Any, registry: JobRegistry, database: Database, **chosen: Any) -> AsyncGenerator[Guarded]:
    """The API with these settings; by itself: with keys."""
    settings = load_settings(**{"auth": "keys", **chosen})
    manager = build_manager(redis, registry, owner_limit=active_jobs(settings))
    access = access_of(settings, database, redis)
    app = create_app(manager, Worlds(database), access=access, version="0.0.0")
    async with contextlib.AsyncExitStack() as stack:
        yield Guarded(app, access, manager, Keys(database), stack)
    await access.close()
    await manager.close()


async def submitted_by(client: Client, *steps: str, **more: Any) -> str:
    """Submit a play and return its id."""
    answer = await client.post("/jobs", json={"type": "play", "payload": {"steps": list(steps)}, **more})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]
