"""Redis and the database of an application, open while one is inside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass

from loresmith.api.configured import active_jobs, webhooks_of
from loresmith.api.job_tokens import JobTokens, secret_kept
from loresmith.api.shared import Shared
from loresmith.api.webhooks import Webhooks
from loresmith.asgi.signals import before_stop
from loresmith.bootstrap import Client, build_manager, connect
from loresmith.db import Database, DatabaseSetupError, SqliteFile, StorageUnavailableError, Worlds, locate
from loresmith.db.schema import check, migrate
from loresmith.embedded.data_dir import DataDirError, prepare_data_dir
from loresmith.embedded.redis import find_running
from loresmith.jobs import JobManager, JobRegistry
from loresmith.redis_server import RedisServerError, check_server
from loresmith.settings import Settings
from loresmith.telemetry.process import Telemetry

_PATIENCE_SECONDS = 2.0


class NotConnectedError(RuntimeError):
    """Redis or the database cannot be used, or nothing has been opened; the message says what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Connected:
    """What is open, and what the API and `Jobs` share on it."""

    settings: Settings
    redis: Client
    database: Database
    manager: JobManager
    worlds: Worlds
    webhooks: Webhooks
    job_tokens: JobTokens
    telemetry: Telemetry
    closes: contextlib.AsyncExitStack

    async def missing(self) -> Mapping[str, str]:
        """Return what is missing besides Redis, as `/readyz` says it."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.database.ready()
        except (StorageUnavailableError, TimeoutError):
            return {"database": "does not answer"}
        return {}


@contextlib.asynccontextmanager
async def connected(settings: Settings, registry: JobRegistry) -> AsyncGenerator[Connected]:
    """Open what the settings name. Raises NotConnectedError."""
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(_redis(settings))
        database = await _database(settings)
        stack.push_async_callback(database.close)
        telemetry, limit = Telemetry(), active_jobs(settings, asks=True)
        manager = build_manager(
            redis, registry, replicas=settings.redis_replicas, owner_limit=limit, telemetry=telemetry
        )
        stack.push_async_callback(manager.close)
        job_tokens = JobTokens(secret_kept(Shared(redis).secret))
        stack.push_async_callback(job_tokens.close)
        stack.callback(manager.release_waiters)
        stack.enter_context(before_stop(manager.release_waiters))
        webhooks = webhooks_of(settings, redis)
        yield Connected(settings, redis, database, manager, Worlds(database), webhooks, job_tokens, telemetry, stack)


@contextlib.asynccontextmanager
async def _redis(settings: Settings) -> AsyncGenerator[Client]:
    url = settings.redis_url or find_running(settings.data_dir)
    if url is None:
        place = str(settings.data_dir)
        raise NotConnectedError(
            f"no Redis: set LORESMITH_REDIS_URL, or start `loresmith run` with the data directory {place!r}"
        )
    with _told():
        redis = connect(url)
    async with redis:
        with _told():
            await check_server(redis, url)
        yield redis


@contextlib.contextmanager
def _told() -> Generator[None]:
    """Raise what is wrong with a Redis as NotConnectedError."""
    try:
        yield
    except RedisServerError as error:
        raise NotConnectedError(str(error)) from None
    except (ValueError, TypeError):  # of redis-py, for an option of the URL; its text may show the password
        raise NotConnectedError("LORESMITH_REDIS_URL has a part that is not understood: see docs/scaling.md") from None


async def _database(settings: Settings) -> Database:
    """Open the database; the schema of a SQLite file is brought up to date, that of a server only checked."""
    try:
        if settings.database_url is None:
            prepare_data_dir(settings.data_dir)
        location = locate(settings.database_url, data_dir=settings.data_dir)
        await (migrate(location) if isinstance(location, SqliteFile) else check(location))
    except (DatabaseSetupError, DataDirError) as error:
        raise NotConnectedError(str(error)) from None
    return Database(location)
