"""All of LoreSmith in one process and one event loop: what `run` and `demo` start."""

from __future__ import annotations

import asyncio
import gc
import importlib
import secrets
import shlex
from dataclasses import dataclass, field
from importlib.metadata import version
from socket import socket
from typing import TYPE_CHECKING

from loresmith.cli.children import embedded_model, locked, running, together
from loresmith.cli.database import opened
from loresmith.cli.job_types import load_registry
from loresmith.cli.listen import url_of
from loresmith.cli.stack import Stack, StartError
from loresmith.cli.watched import telemetry_of
from loresmith.embedded.data_dir import prepare_data_dir
from loresmith.embedded.model import EmbeddedModel
from loresmith.embedded.redis import EmbeddedRedis
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.db import Database
    from loresmith.jobs import JobRegistry
    from loresmith.llm.client import GrpcLoreModel
    from loresmith.llm.tls import TlsFiles
    from loresmith.telemetry.process import Telemetry

GRACE_SECONDS = 3.0
"""What running jobs get to finish when everything stops, so that all of it takes less than 5 s."""
LINGER_SECONDS = 1.0
LAST_SPANS_SECONDS = 0.3

_LORE_ADDRESS = "127.0.0.1:0"


@dataclass(frozen=True)
class LoreAddress:
    """A lore service, and how it is entered."""

    address: str
    token: str | None
    tls: TlsFiles | None


@dataclass
class Whole:
    """The parts of one machine; afterwards the fields say what runs where."""

    settings: Settings
    bound: socket
    registry: JobRegistry | None = None
    """The job types; None: those of the settings, imported while other parts start."""
    redis_url: str = ""
    redis: str = ""
    database: str = ""
    model: str = ""
    concurrency: int = 0
    telemetry: Telemetry = field(init=False)
    lore: LoreAddress = field(init=False)
    child: EmbeddedModel | None = None

    @property
    def url(self) -> str:
        """The address of the API."""
        return url_of(self.bound)

    async def start(self, stack: Stack) -> None:
        """Start all parts: servers, database, worker and API, in this order."""
        await self.start_servers(stack, load=True)
        database = await self._start_database(stack)
        model = await self._connect_to_lore_service(stack)
        await self._start_worker(stack, database, model)
        await self._start_api(stack, database, model)
        tune_garbage_collection()

    async def start_servers(self, stack: Stack, *, load: bool = False) -> None:
        """Start what knows no job type: the children and the lore service; `load` imports the job types meanwhile."""
        self.telemetry = await stack.enter(telemetry_of("run", last_spans_seconds=LAST_SPANS_SECONDS))
        self.child = None if self.settings.lore_url else embedded_model(self.settings)
        await self._start_children(stack, self.child, load=load)
        self.lore = await self._start_lore_service(stack, self.child)

    async def _start_children(self, stack: Stack, child: EmbeddedModel | None, *, load: bool) -> None:
        """Start Redis and the model, and import the rest meanwhile: both take seconds."""
        server = None
        if self.settings.redis_url is None:
            server = EmbeddedRedis(await stack.enter(locked(self.settings.data_dir)))
        if child is not None:
            prepare_data_dir(self.settings.data_dir)
        children = [part for part in (server, child) if part is not None]
        await together(stack.enter(running(*children)), self._import_and_check(load=load))
        if server is not None:
            self.redis_url = server.url
            self.redis = f"embedded: redis-cli -s {shlex.quote(str(server.socket_path))}"

    async def _import_and_check(self, *, load: bool) -> None:
        for module in ("loresmith.cli.parts", "loresmith.db.schema"):
            await asyncio.to_thread(importlib.import_module, module)
        if load and self.registry is None:
            self.registry = await asyncio.to_thread(load_registry, self.settings)
        if self.settings.redis_url is not None:
            self.redis_url = self.settings.redis_url
            from loresmith.cli.parts import checked

            self.redis = await checked(self.redis_url)

    async def _start_database(self, stack: Stack) -> Database:
        database = await stack.enter(opened(self.settings))
        self.database = database.location.place
        return database

    async def _start_lore_service(self, stack: Stack, child: EmbeddedModel | None) -> LoreAddress:
        from loresmith.cli import lore
        from loresmith.llm_service.access import Access

        if self.settings.lore_url is not None:
            return LoreAddress(self.settings.lore_url, lore.token_of(self.settings), lore.client_tls(self.settings))
        token = secrets.token_urlsafe()  # other users of this machine reach the port, too
        part = lore.lore_service(
            self.settings,
            child,
            address=_LORE_ADDRESS,
            access=Access(token),
            redis_url=self.redis_url,
            telemetry=self.telemetry,
        )
        address, _, _ = await stack.enter(part)
        return LoreAddress(address, token, None)

    async def _connect_to_lore_service(self, stack: Stack) -> GrpcLoreModel:
        from loresmith.cli import lore, parts
        from loresmith.llm.client import DESCRIBE_TIMEOUT_SECONDS
        from loresmith.llm.errors import GenerationError, LoreProtocolError

        there = self.lore
        part = lore.lore_model(there.address, token=there.token, tls=there.tls, telemetry=self.telemetry)
        model = await stack.enter(part)
        try:
            can = await model.capabilities(timeout_seconds=DESCRIBE_TIMEOUT_SECONDS)
        except (GenerationError, LoreProtocolError) as error:
            raise StartError(f"{error}: see LORESMITH_LORE_URL") from None
        self.concurrency = parts.jobs_at_once(self.settings, can.concurrent_calls)
        self.model = can.model
        return model

    async def _start_worker(self, stack: Stack, database: Database, model: GrpcLoreModel) -> None:
        from loresmith.cli import parts

        assert self.registry is not None
        stack.watch(await stack.enter(parts.recording(self.redis_url, database)), "history")
        await parts.start_webhooks(stack, self.settings, self.redis_url, grace_seconds=GRACE_SECONDS)
        part = parts.working(
            self.redis_url,
            database,
            model,
            concurrency=self.concurrency,
            grace_seconds=GRACE_SECONDS,
            linger_seconds=LINGER_SECONDS,
            telemetry=self.telemetry,
            registry=self.registry,
        )
        _, task, wish = await stack.enter(part)
        stack.watch(task, "worker")
        stack.on_stop(wish)

    async def _start_api(self, stack: Stack, database: Database, model: GrpcLoreModel) -> None:
        from loresmith.cli import parts

        assert self.registry is not None
        part = parts.api(
            self.settings,
            self.redis_url,
            database,
            self.bound,
            version("loresmith"),
            parts.readiness(model, self.child),
            self.telemetry,
            self.registry,
        )
        task, wish = await stack.enter(part)
        stack.watch(task, "API")
        stack.on_stop(wish)


def tune_garbage_collection() -> None:
    """Take what start-up made out of every later collection; they cost a server 15 to 18 % of its time.

    Young objects are looked at now and then all the same: what a job that failed leaves behind is in cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
