"""Whether a lore service takes calls, by the standard health protocol of gRPC."""

from __future__ import annotations

from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from loresmith.llm.tls import TlsFiles

_SERVING: Final = "SERVING"


async def health_of(address: str, *, tls: TlsFiles | None = None, timeout_seconds: float) -> str:
    """Return `SERVING`, another state of the protocol, or the name of the status with which the call failed.

    Raises ValueError that names a file of TLS that cannot be used.
    """
    options = [("grpc.enable_http_proxy", 0)]
    if tls is None:
        channel = grpc.aio.insecure_channel(address, options=options)
    else:
        channel = grpc.aio.secure_channel(address, tls.for_client(), options=options)
    async with channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer: Any = await stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def is_serving(state: str) -> bool:
    """Tell whether a state of `health_of` is the one in which calls are taken."""
    return state == _SERVING
