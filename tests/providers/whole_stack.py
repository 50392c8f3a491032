"""Jobs from the manager through a worker and the lore service to a provider."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from loresmith.bootstrap import build_registry, classify
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.jobs import Job, JobManager, Worker
from loresmith.jobs.connection import Connections
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import LoreModel
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.server import LoreServer
from tests.providers.servers import ProviderServer
from tests.waiting import wait_until


def provider_of(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider for a server, with its settings in the environment."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return find_provider(server.model, base_url=server.environment.get("LORESMITH_MODEL_BASE_URL"), api_key="test-key")


@asynccontextmanager
async def stack(provider: Provider, redis_url: str, folder: Path) -> AsyncGenerator[JobManager]:
    """A lore service for the provider, a worker and a manager."""
    location = locate(None, data_dir=folder)
    await migrate(location)
    async with AsyncExitStack() as opened:
        lore = LoreServer(provider)
        port = await lore.start("127.0.0.1:0")
        opened.push_async_callback(lore.stop)
        model = GrpcLoreModel(f"127.0.0.1:{port}")
        opened.push_async_callback(model.close)
        database = Database(location)
        opened.push_async_callback(database.close)
        connections = Connections(redis_url)
        redis = await opened.enter_async_context(connections.client())
        resources: Mapping[type, object] = {LoreModel: model, Worlds: Worlds(database)}
        registry = build_registry()
        worker = Worker(
            connections=connections, registry=registry, resources=resources, classify=classify, grace_seconds=0
        )
        running = asyncio.create_task(worker.run())
        try:
            yield JobManager(redis=redis, registry=registry)
        finally:
            worker.stop()
            await running


async def ended(manager: JobManager, job_id: str) -> Job:
    """The job, once it has ended."""
    found: list[Job] = []

    async def has_ended() -> bool:
        view = await manager.get(job_id)
        if view.status in ("completed", "failed"):
            found.append(view)
        return bool(found)

    await wait_until(has_ended, seconds=60)
    return found[0]
