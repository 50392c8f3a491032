"""The parts of a process, each running while one is inside its context; importing them takes seconds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Mapping

from loresmith.api.app import create_app
from loresmith.api.configured import access_of, active_jobs, webhooks_of
from loresmith.api.connections import Connections
from loresmith.api.deps import Readiness
from loresmith.bootstrap import build_history, build_manager, build_webhook_feed, build_worker, connect
from loresmith.cli.database import with_database
from loresmith.cli.http import serving
from loresmith.cli.stack import Stack, StartError
from loresmith.cli.telling import webhook_worker
from loresmith.db import Database, Worlds
from loresmith.embedded.model import EmbeddedModel
from loresmith.jobs import Follower, JobManager, JobRegistry, Worker
from loresmith.llm.client import DESCRIBE_TIMEOUT_SECONDS, GrpcLoreModel
from loresmith.llm.errors import GenerationError, LoreProtocolError
from loresmith.redis_server import RedisServerError, check_server, place_of
from loresmith.setting_types import networks
from loresmith.settings import Settings
from loresmith.telemetry.process import Telemetry

USUAL_ITEMS = 3
"""Items, and so calls at once, of a job of the default size."""

_WRITING_SECONDS = 0.3

Task = tuple[asyncio.Task[None], Callable[[], None]]
"""What runs, and what makes it end: called once, with grace; twice, at once."""


async def checked(redis_url: str) -> str:
    """Make sure that the configured Redis can be used; returns what it is and where. Raises StartError."""
    try:
        async with connect(redis_url) as redis:
            return f"{await check_server(redis, redis_url)} at {place_of(redis_url)}"
    except RedisServerError as error:
        raise StartError(str(error)) from None
    except (ValueError, TypeError):  # of redis-py, for an option of the URL; its text may show the password
        raise StartError("LORESMITH_REDIS_URL has a part that is not understood: see docs/scaling.md") from None


def _connections(settings: Settings) -> Connections:
    return Connections(settings.connections_per_address, networks(settings.trusted_proxies or ""))


@contextlib.asynccontextmanager
async def api(
    settings: Settings,
    redis_url: str,
    database: Database,
    bound: socket.socket,
    version: str,
    ready: Readiness,
    telemetry: Telemetry,
    registry: JobRegistry,
) -> AsyncGenerator[Task]:
    """The REST API on a socket, for those whom the settings let in."""
    async with connect(redis_url) as redis:
        manager = build_manager(
            redis,
            registry,
            replicas=settings.redis_replicas,
            owner_limit=active_jobs(settings),
            telemetry=telemetry,
        )
        access = access_of(settings, database, redis)
        ready = with_database(ready, database)
        webhooks = webhooks_of(settings, redis)
        app = create_app(
            manager,
            Worlds(database),
            access=access,
            readiness=ready,
            version=version,
            telemetry=telemetry,
            webhooks=webhooks,
            root_path=settings.root_path,
            product=not settings.jobs_only,
        )
        async with serving(app, bound, _connections(settings)) as (task, wish):

            def end() -> None:
                manager.release_waiters()  # else the server would wait for each event stream
                wish()

            try:
                yield task, end
            finally:
                manager.release_waiters()
        await access.close()
        await manager.close()


@contextlib.asynccontextmanager
async def working(
    redis_url: str,
    database: Database,
    model: GrpcLoreModel,
    *,
    concurrency: int,
    grace_seconds: float,
    linger_seconds: float,
    telemetry: Telemetry,
    registry: JobRegistry,
) -> AsyncGenerator[tuple[Worker, *Task]]:
    """A worker; its jobs get the grace period to finish when it is left."""
    worker = build_worker(
        redis_url,
        registry,
        lore_model=model,
        worlds=Worlds(database),
        concurrency=concurrency,
        grace_seconds=grace_seconds,
        linger_seconds=linger_seconds,
        telemetry=telemetry,
    )
    async with draining(worker, "worker") as part:
        yield worker, *part


@contextlib.asynccontextmanager
async def draining(worker: Worker, name: str) -> AsyncGenerator[Task]:
    """A worker that runs while one is inside, and is waited for when it is left."""
    wishes: list[None] = []

    def wish() -> None:
        wishes.append(None)
        worker.stop()

    task = asyncio.create_task(worker.run(), name=name)
    try:
        yield task, wish
    finally:
        if not wishes:
            wish()
        await asyncio.wait({task})


@contextlib.asynccontextmanager
async def looking(redis_url: str, telemetry: Telemetry, registry: JobRegistry) -> AsyncGenerator[JobManager]:
    """What looks at the queue for those who watch over a worker, by a connection of its own."""
    async with connect(redis_url) as redis:
        manager = build_manager(redis, registry, telemetry=telemetry)
        yield manager
        await manager.close()


@contextlib.asynccontextmanager
async def recording(redis_url: str, database: Database) -> AsyncGenerator[asyncio.Task[None]]:
    """The history of jobs, written as they end; what it is at when it is left is written at the next start."""
    async with following(build_history(redis_url, database), "history") as task:
        yield task


@contextlib.asynccontextmanager
async def following(follower: Follower, name: str) -> AsyncGenerator[asyncio.Task[None]]:
    """What follows ended jobs while one is inside; what it is at when it is left goes to the next start."""
    task = asyncio.create_task(follower.run(), name=name)
    try:
        yield task
    finally:
        follower.stop()
        await asyncio.wait({task}, timeout=_WRITING_SECONDS)
        task.cancel()
        await asyncio.wait({task})


async def start_webhooks(stack: Stack, settings: Settings, redis_url: str, *, grace_seconds: float) -> None:
    """Make deliveries of jobs that end, and, where there are secrets, deliver them; else they wait for a worker."""
    redis = await stack.enter(connect(redis_url))
    stack.watch(await stack.enter(following(build_webhook_feed(redis_url, redis), "webhooks")), "webhooks")
    worker = webhook_worker(settings, redis_url, redis, grace_seconds=grace_seconds)
    if worker is not None:
        task, wish = await stack.enter(draining(worker, "webhook-worker"))
        stack.watch(task, "delivery of webhooks")
        stack.on_stop(wish)


def jobs_at_once(settings: Settings, concurrent_calls: int) -> int:
    """Jobs that a worker runs: beyond what the model has slots for they wait as pending."""
    return settings.worker_concurrency or max(1, concurrent_calls // USUAL_ITEMS)


def readiness(model: GrpcLoreModel, child: EmbeddedModel | None) -> Readiness:
    """What `/readyz` asks beside Redis: does the lore service answer, does the embedded model live."""

    async def missing() -> Mapping[str, str]:
        if child is not None and not child.base_url:
            return {"model": "is being started again"}
        try:
            await model.capabilities(timeout_seconds=DESCRIBE_TIMEOUT_SECONDS)
        except (GenerationError, LoreProtocolError) as error:
            return {"lore_service": str(error)}
        return {}

    return missing
