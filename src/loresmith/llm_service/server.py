"""The gRPC server of the lore service: address, health, reflection, drain."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from loresmith.llm.client import LARGEST_EVENT_BYTES, LARGEST_REQUEST_BYTES
from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm_service.access import Access
from loresmith.llm_service.call import QUEUED_REMINDER_SECONDS
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.service import LoreService
from loresmith.telemetry.process import Telemetry

DEFAULT_ADDRESS: Final = "127.0.0.1:50051"

_SERVICE: Final = lore_pb2.DESCRIPTOR.services_by_name["LoreService"].full_name
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_REQUEST_BYTES),
    ("grpc.max_send_message_length", LARGEST_EVENT_BYTES),
    ("grpc.so_reuseport", 0),  # else a second server shares the port in silence
    # Clients ping to notice a half-open connection; by default a server takes that for an attack.
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class LoreServer:
    """Serves LoreService, gRPC health and reflection for one model, or for a route of several.

    It can be started once. Without `access` it is for this machine only.
    """

    def __init__(
        self,
        models: Provider | Route,
        access: Access | None = None,
        *,
        queued_reminder_seconds: float = QUEUED_REMINDER_SECONDS,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._route = models if isinstance(models, Route) else Route([models])
        self._access = access or Access()
        self._service = LoreService(
            self._route, self._access, queued_reminder_seconds=queued_reminder_seconds, telemetry=telemetry
        )
        self._health = _health_servicer()
        self._resources = AsyncExitStack()
        self._server: grpc.aio.Server | None = None
        self._stopping = self._stopped = self._hurried = False
        self._last_words: asyncio.Future[None] | None = None

    async def start(self, address: str = DEFAULT_ADDRESS) -> int:
        """Listens on `host:port` and returns the port (port 0 picks a free one).

        Raises OSError if the address cannot be had, or is open to strangers, and ValueError for a wrong file of TLS.
        """
        self._access.check_exposure(address)
        server = grpc.aio.server(options=_OPTIONS)
        lore_pb2_grpc.add_LoreServiceServicer_to_server(self._service, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)  # pyright: ignore[reportUnknownMemberType]
        names = (_SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
        port = _bind(server, address, self._access.credentials())
        for resource in self._route.resources():
            await self._resources.enter_async_context(resource)
        await server.start()
        self._server = server
        await self._tell_health(health_pb2.HealthCheckResponse.SERVING)
        models = [station.provider.label for station in self._route.stations]
        _log.info("lore service started", port=port, models=models, tls=self._access.tls is not None)
        return port

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Refuses new calls, lets running ones finish for `grace_seconds`, then cancels them.

        Called again meanwhile, it can shorten the time that is left.
        """
        if self._server is None:
            return
        await self._tell_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._stopping = True
        await self._server.stop(0 if self._hurried else grace_seconds)
        if not self._stopped:
            self._stopped = True
            await self._resources.aclose()
            _log.info("lore service stopped")

    def hurry(self) -> None:
        """Ends the grace of a stop that is under way, or of the next one."""
        self._hurried = True
        if self._stopping and self._server is not None:
            self._last_words = asyncio.ensure_future(self._server.stop(0))

    async def wait_closed(self) -> None:
        """Returns when the server has stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    async def _tell_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", _SERVICE):
            await self._health.set(name, status)


def _health_servicer() -> Any:
    return health.aio.HealthServicer()  # pyright: ignore (the package carries no types)


def _bind(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    try:
        port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"the lore service cannot listen on {address!r}: {error}") from None
    if port == 0:
        raise OSError(f"the lore service cannot listen on {address!r}")
    return port
