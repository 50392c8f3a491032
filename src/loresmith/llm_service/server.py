"""The gRPC server of the lore service: address, health, reflection, drain."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, Final

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.service import QUEUED_REMINDER_SECONDS, LoreService

DEFAULT_ADDRESS: Final = "127.0.0.1:50051"
LARGEST_REQUEST_BYTES: Final = 1024 * 1024
LARGEST_EVENT_BYTES: Final = 4 * 1024 * 1024

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
    """Serves LoreService, gRPC health and reflection for one provider.

    It can be started once.
    """

    def __init__(self, provider: Provider, *, queued_reminder_seconds: float = QUEUED_REMINDER_SECONDS) -> None:
        self._provider = provider
        self._service = LoreService(provider, queued_reminder_seconds=queued_reminder_seconds)
        self._health = _health_servicer()
        self._resources = AsyncExitStack()
        self._server: grpc.aio.Server | None = None

    async def start(self, address: str = DEFAULT_ADDRESS) -> int:
        """Listens on `host:port` and returns the port (port 0 picks a free one).

        Raises OSError if the address cannot be had.
        """
        server = grpc.aio.server(options=_OPTIONS)
        lore_pb2_grpc.add_LoreServiceServicer_to_server(self._service, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)  # pyright: ignore[reportUnknownMemberType]
        names = (_SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
        port = _bind(server, address)
        for resource in self._provider.resources:
            await self._resources.enter_async_context(resource)
        await server.start()
        self._server = server
        await self._tell_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("lore service started", port=port, model=self._provider.label)
        return port

    async def stop(self, grace_seconds: float = 0.0) -> None:
        """Refuses new calls, lets running ones finish for `grace_seconds`, then cancels them."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await self._tell_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.stop(grace_seconds)
        await self._resources.aclose()
        _log.info("lore service stopped")

    async def wait_closed(self) -> None:
        """Returns when the server has stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    async def _tell_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", _SERVICE):
            await self._health.set(name, status)


def _health_servicer() -> Any:
    return health.aio.HealthServicer()  # pyright: ignore (the package carries no types)


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"the lore service cannot listen on {address!r}: {error}") from None
    if port == 0:
        raise OSError(f"the lore service cannot listen on {address!r}")
    return port
