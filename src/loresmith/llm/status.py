"""A GenerationError as a gRPC status with google.rpc details, and back."""

from __future__ import annotations

from typing import Final, cast

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from loresmith.llm.errors import ErrorCode, GenerationError, LoreProtocolError

# The header is gRPC's own convention, so grpcurl and clients in other languages show the details.
# The package grpcio-status adds twenty lines to it, marked experimental for asyncio.
DETAILS_KEY: Final = "grpc-status-details-bin"
DOMAIN: Final = "loresmith"

STATUS_OF: Final[dict[ErrorCode, grpc.StatusCode]] = {
    "provider_rate_limited": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "provider_unavailable": grpc.StatusCode.UNAVAILABLE,
    "provider_timeout": grpc.StatusCode.DEADLINE_EXCEEDED,
    "provider_auth": grpc.StatusCode.FAILED_PRECONDITION,
    "content_refused": grpc.StatusCode.FAILED_PRECONDITION,
    "output_invalid": grpc.StatusCode.INTERNAL,
    "context_too_long": grpc.StatusCode.OUT_OF_RANGE,
    "budget_exceeded": grpc.StatusCode.RESOURCE_EXHAUSTED,
}


def details_of(error: GenerationError) -> bytes:
    """The value of `DETAILS_KEY` for `error`: a google.rpc.Status."""
    number, _ = cast("tuple[int, str]", STATUS_OF[error.code].value)
    status = Status(code=number, message=error.message)
    said = {"retryable": error.retryable, "began": error.began}
    facts = {name: str(value).lower() for name, value in said.items()}
    status.details.add().Pack(ErrorInfo(reason=error.code.upper(), domain=DOMAIN, metadata=facts))
    if error.retry_after_seconds is not None:
        delay = Duration()
        delay.FromNanoseconds(round(error.retry_after_seconds * 1e9))
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return status.SerializeToString()


def error_of(details: bytes) -> GenerationError | None:
    """The error that `details_of` packed; None if these are somebody else's details."""
    status = Status.FromString(details)
    info, retry = ErrorInfo(), RetryInfo()
    retry_after: float | None = None
    for each in status.details:
        if each.Unpack(retry):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
        else:
            each.Unpack(info)
    code: ErrorCode | None = next((each for each in STATUS_OF if each.upper() == info.reason), None)
    if code is None or info.domain != DOMAIN:
        return None
    retryable = info.metadata.get("retryable") == "true"
    began = info.metadata.get("began") != "false"  # an older service does not say
    return GenerationError(code, status.message, retryable=retryable, retry_after_seconds=retry_after, began=began)


def translated(error: grpc.aio.AioRpcError, *, address: str) -> GenerationError | LoreProtocolError:
    """What the end of a call to the lore service at `address` means."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and (told := error_of(cast("bytes", value))):
            return told
    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            return _unavailable(unreachable(address))
        case grpc.StatusCode.CANCELLED:
            return _unavailable(f"the lore service at {address!r} stopped during the call")
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return GenerationError("provider_timeout", "the model was not done in time")
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            message = f"the lore service at {address!r} refused our credentials"
            return GenerationError("provider_auth", message)
        case code:
            message = f"the lore service at {address!r} answered {code.name}: {error.details()}"
            return LoreProtocolError(message)


def unreachable(address: str) -> str:
    """Return the message about a lore service that does not answer."""
    return f"the lore service could not be reached at {address!r}"


def _unavailable(message: str) -> GenerationError:
    return GenerationError("provider_unavailable", message)
