"""The telemetry of a process, and the listener for those who watch over one that has no API."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from loresmith.api.connections import Connections
from loresmith.cli.listen import bind, url_of
from loresmith.cli.stack import StartError
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.api.deps import Readiness
    from loresmith.jobs import JobManager, Worker
    from loresmith.telemetry.process import Telemetry

_SETTING = "LORESMITH_METRICS_LISTEN"
_STUCK_SECONDS = 30.0
"""A worker that could claim and did not look at the queue for so long is started again."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def telemetry_of(process: str, *, last_spans_seconds: float = 2.0) -> AsyncGenerator[Telemetry]:
    """Metrics and traces of this process, which traces call `loresmith-<process>`. Raises StartError."""
    from loresmith.telemetry.process import TracesUnavailableError, telling

    try:
        async with telling(
            f"loresmith-{process}", version("loresmith"), last_spans_seconds=last_spans_seconds
        ) as telemetry:
            yield telemetry
    except TracesUnavailableError as error:
        raise StartError(str(error)) from None


@contextlib.asynccontextmanager
async def probed_worker(
    settings: Settings, telemetry: Telemetry, worker: Worker, manager: JobManager, others: Readiness
) -> AsyncGenerator[None]:
    """The listener of a worker, if there is to be one."""
    from loresmith.jobs import StoreUnavailableError

    async def missing() -> Mapping[str, str]:
        try:
            await manager.ready()
        except StoreUnavailableError:
            return {"redis": "does not answer", **await others()}
        return await others()

    def stuck() -> str:
        seconds = worker.stuck_seconds()
        return f"has not looked at the queue for {seconds:.0f} s" if seconds > _STUCK_SECONDS else ""

    from loresmith.api.probes import build_probes

    app = build_probes(telemetry.metrics, missing=missing, stuck=stuck, counts=manager.counts)
    async with _listening(settings, app):
        yield


@contextlib.asynccontextmanager
async def probed_lore(
    settings: Settings, telemetry: Telemetry, missing: Readiness, notes: Readiness
) -> AsyncGenerator[None]:
    """The listener of a lore service, if there is to be one."""
    from loresmith.api.probes import build_probes

    async with _listening(settings, build_probes(telemetry.metrics, missing=missing, notes=notes)):
        yield


@contextlib.asynccontextmanager
async def _listening(settings: Settings, app: object) -> AsyncGenerator[None]:
    if settings.metrics_listen is None:
        yield
        return
    from loresmith.cli.http import serving

    host, _, port = settings.metrics_listen.rpartition(":")
    with bind(host.strip("[]"), int(port), setting=_SETTING) as bound:
        async with serving(app, bound, Connections()):
            _log.info("metrics and probes started", url=url_of(bound))
            yield
