"""`loresmith serve`, `worker` and `lore`: the parts as processes of their own, on any number of machines."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from loresmith.cli.children import embedded_model, running
from loresmith.cli.configure import configure
from loresmith.cli.database import opened, with_database
from loresmith.cli.job_types import Jobs, Only, job_options, load_registry
from loresmith.cli.listen import bind, check_exposure, url_of
from loresmith.cli.stack import Stack, StartError
from loresmith.cli.watched import probed_lore, probed_worker, telemetry_of
from loresmith.cli.whole import tune_garbage_collection
from loresmith.embedded.data_dir import DataDirError, prepare_data_dir
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.jobs import JobRegistry
    from loresmith.llm.client import GrpcLoreModel

WORKER_GRACE_SECONDS = 30.0
WORKER_LINGER_SECONDS = 30.0
LORE_GRACE_SECONDS = 30.0
"""What calls get to finish when a lore service stops; its health says meanwhile that it takes no more."""
_RETRY_SECONDS = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def serve(jobs: Jobs = None, only: Only = False) -> None:
    """Run the REST API on a configured Redis (LORESMITH_REDIS_URL)."""
    settings = configure(**job_options(jobs, only=only))
    uvloop.run(_serve(settings, _redis_url(settings), load_registry(settings)))


def worker(jobs: Jobs = None, only: Only = False) -> None:
    """Run a worker on a configured Redis (LORESMITH_REDIS_URL) and lore service (LORESMITH_LORE_URL)."""
    settings = configure(**job_options(jobs, only=only))
    if settings.lore_url is None:
        raise StartError("LORESMITH_LORE_URL is not set: expected host:port of a `loresmith lore`")
    uvloop.run(_work(settings, _redis_url(settings), settings.lore_url, load_registry(settings)))


def lore() -> None:
    """Run the lore service, the only process that talks to models, on LORESMITH_LORE_LISTEN."""
    with tempfile.TemporaryDirectory(prefix="loresmith-") as folder:
        uvloop.run(_lore(_with_data_dir(configure(), Path(folder))))


def _with_data_dir(settings: Settings, folder: Path) -> Settings:
    """Return the settings with a data directory that can be written: the service keeps nothing but a log there."""
    try:
        if embedded_model(settings) is not None:
            prepare_data_dir(settings.data_dir)
    except DataDirError:
        return settings.model_copy(update={"data_dir": folder})
    return settings


def _redis_url(settings: Settings) -> str:
    if settings.redis_url is None:
        raise StartError("LORESMITH_REDIS_URL is not set: only `loresmith run` brings a Redis of its own")
    return settings.redis_url


async def _serve(settings: Settings, redis_url: str, registry: JobRegistry) -> None:
    from loresmith.api.deps import all_there
    from loresmith.cli import parts

    async def start(stack: Stack) -> None:
        await parts.checked(redis_url)
        telemetry = await stack.enter(telemetry_of("api"))
        database = await stack.enter(opened(settings))
        part = parts.api(settings, redis_url, database, bound, version("loresmith"), all_there, telemetry, registry)
        task, wish = await stack.enter(part)
        stack.watch(task, "API")
        stack.on_stop(wish)
        tune_garbage_collection()
        _log.info("api started", url=url_of(bound), database=database.location.place)

    check_exposure(settings)
    with bind(settings.host, settings.port) as bound:
        await Stack().run(start)


async def _work(settings: Settings, redis_url: str, lore_url: str, registry: JobRegistry) -> None:
    from loresmith.cli import lore as lore_part
    from loresmith.cli import parts

    async def start(stack: Stack) -> None:
        await parts.checked(redis_url)
        telemetry = await stack.enter(telemetry_of("worker"))
        database = await stack.enter(opened(settings))
        stack.watch(await stack.enter(parts.recording(redis_url, database)), "history")
        await parts.start_webhooks(stack, settings, redis_url, grace_seconds=WORKER_GRACE_SECONDS)
        token, tls = lore_part.token_of(settings), lore_part.client_tls(settings)
        model = await stack.enter(lore_part.lore_model(lore_url, token=token, tls=tls, telemetry=telemetry))
        concurrency = parts.jobs_at_once(settings, await _concurrent_calls(model))
        part = parts.working(
            redis_url,
            database,
            model,
            concurrency=concurrency,
            grace_seconds=WORKER_GRACE_SECONDS,
            linger_seconds=WORKER_LINGER_SECONDS,
            telemetry=telemetry,
            registry=registry,
        )
        manager = await stack.enter(parts.looking(redis_url, telemetry, registry))
        working, task, wish = await stack.enter(part)
        stack.watch(task, "worker")
        stack.on_stop(wish)
        ready = with_database(parts.readiness(model, None), database)
        await stack.enter(probed_worker(settings, telemetry, working, manager, ready))
        tune_garbage_collection()
        _log.info("worker started", jobs_at_once=concurrency, database=database.location.place)

    await Stack(stop_seconds=WORKER_GRACE_SECONDS + WORKER_LINGER_SECONDS + 5).run(start)


async def _concurrent_calls(model: GrpcLoreModel) -> int:
    """What the model can do at once; waits for a lore service that is not there yet."""
    from loresmith.llm.client import DESCRIBE_TIMEOUT_SECONDS
    from loresmith.llm.errors import GenerationError, LoreProtocolError

    while True:
        try:
            return (await model.capabilities(timeout_seconds=DESCRIBE_TIMEOUT_SECONDS)).concurrent_calls
        except LoreProtocolError as error:
            raise StartError(f"{error}: see LORESMITH_LORE_URL") from None
        except GenerationError as error:
            _log.warning("waiting for the lore service", error=error.message)
            await asyncio.sleep(_RETRY_SECONDS)


async def _lore(settings: Settings) -> None:
    from loresmith.cli import lore as lore_part
    from loresmith.cli import parts

    async def start(stack: Stack) -> None:
        if settings.redis_url is not None:
            await parts.checked(settings.redis_url)
        telemetry = await stack.enter(telemetry_of("lore"))
        child = embedded_model(settings)
        if child is not None:
            await stack.enter(running(child))
        part = lore_part.lore_service(
            settings,
            child,
            address=settings.lore_listen,
            access=lore_part.access_of(settings),
            redis_url=settings.redis_url,
            grace_seconds=LORE_GRACE_SECONDS,
            telemetry=telemetry,
        )
        _, hurry, health = await stack.enter(part)
        stack.on_stop(_second(hurry))
        await stack.enter(probed_lore(settings, telemetry, health.missing, health.notes))
        tune_garbage_collection()

    await Stack(stop_seconds=LORE_GRACE_SECONDS + 5).run(start)


def _second(act: Callable[[], None]) -> Callable[[], None]:
    """What does nothing when it is first called, and acts when it is called again."""
    calls = itertools.count()
    return lambda: act() if next(calls) else None
