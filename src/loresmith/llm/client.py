"""The language model behind a lore service, reached over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, cast

import grpc
import grpc.aio

from loresmith.llm.calling import calling_span, carried
from loresmith.llm.errors import GenerationError
from loresmith.llm.pb import lore_pb2, lore_pb2_grpc
from loresmith.llm.port import GenerationEvent, GenerationRequest, ModelCapabilities
from loresmith.llm.status import translated, unreachable
from loresmith.llm.tls import TlsFiles
from loresmith.llm.wire import Queued, event_from_wire, request_to_wire
from loresmith.telemetry.tracing import Tracing

CALL_SILENCE_SECONDS: Final = 90.0
CONNECT_SECONDS: Final = 5.0
"""How long a call of a job waits for a connection in its slot: as long as a lore service takes to be restarted."""
DESCRIBE_TIMEOUT_SECONDS: Final = 5.0
"""How long a start or a probe waits to be told what the model can do."""
LARGEST_EVENT_BYTES: Final = 4 * 1024 * 1024
LARGEST_REQUEST_BYTES: Final = 1024 * 1024

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_EVENT_BYTES),
    ("grpc.max_send_message_length", LARGEST_REQUEST_BYTES),
    ("grpc.enable_http_proxy", 0),  # a proxy of the environment would also catch loopback
    # A connection that is gone without a word is noticed after 30 s. The time for an answer is the
    # ping timeout: core's keepalive timeout is not applied while that is longer (60 s by default).
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # By default the pause between connection attempts grows to 120 s.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 3_000),
    # A name may stand for several lore hosts: by default all calls would go to the first of them.
    ("grpc.service_config", '{"loadBalancingConfig":[{"round_robin":{}}]}'),
)

EventStream = grpc.aio.UnaryStreamCall[lore_pb2.GenerateRequest, lore_pb2.GenerationEvent]


class GrpcLoreModel:
    """A LoreModel whose calls go to the lore service at `address` (`host:port`).

    It belongs to the event loop in which it is first used. `call_silence_seconds` is how long a
    call may go without a sign of the model; waiting for a slot does not count. A call of a job waits `connect_seconds`
    for a service that is away; once one has waited in vain, the others fail at once until there is a connection.
    `token` is shown with each call;
    with `tls`, the service must have a certificate of its authority.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        tls: TlsFiles | None = None,
        call_silence_seconds: float = CALL_SILENCE_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        tracing: Tracing | None = None,
    ) -> None:
        self._address = address
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._tls = tls
        self._silence_seconds = call_silence_seconds
        self._connect_seconds = connect_seconds
        self._tracing = tracing
        self._connection: tuple[grpc.aio.Channel, lore_pb2_grpc.LoreServiceStub] | None = None
        self._away = False

    async def generate(
        self, request: GenerationRequest, *, timeout_seconds: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        """See LoreModel.generate. Closing the generator cancels the call up to the model."""
        with calling_span(self._tracing) as span:
            metadata = (*self._metadata, *carried(span))
            await self._connected()
            call: EventStream = self._stub().Generate(
                request_to_wire(request), timeout=timeout_seconds, metadata=metadata
            )
            try:
                while (message := await self._read(call)) is not None:
                    event = event_from_wire(message)
                    if event is not None and not isinstance(event, Queued):
                        yield event
            except grpc.aio.AioRpcError as error:
                raise translated(error, address=self._address) from error
            finally:
                call.cancel()

    async def capabilities(self, *, timeout_seconds: float | None = None) -> ModelCapabilities:
        """See LoreModel.capabilities; a job waits for the answer as long as for one of the model.

        A service that does not answer a job is away: nothing was begun.
        """
        limit = self._silence_seconds if timeout_seconds is None else timeout_seconds
        if timeout_seconds is None:
            await self._connected()
        try:
            answer: lore_pb2.DescribeResponse = await self._stub().Describe(
                lore_pb2.DescribeRequest(), timeout=limit, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                text = f"the lore service at {self._address!r} did not answer for {limit:g} s"
                code = "provider_unavailable" if timeout_seconds is None else "provider_timeout"
                raise GenerationError(code, text, began=False) from error
            failure = translated(error, address=self._address)
            if isinstance(failure, GenerationError):
                failure.began = False
            raise failure from error
        return ModelCapabilities(answer.model, answer.streams_fields, answer.concurrent_calls, guided=answer.guided)

    def check_files(self) -> None:
        """Raises ValueError that names a file of TLS that cannot be used."""
        if self._tls is not None:
            self._tls.for_client()

    async def close(self) -> None:
        """Ends the connection, and every call with it."""
        if self._connection is not None:
            channel, _ = self._connection
            self._connection = None
            await channel.close()

    async def _connected(self) -> None:
        """Give the service a moment to be there. Raises GenerationError where it stays away."""
        self._stub()
        assert self._connection is not None
        channel = self._connection[0]
        if channel.get_state(try_to_connect=True) is not grpc.ChannelConnectivity.READY:
            try:
                async with asyncio.timeout(0.0 if self._away else self._connect_seconds):
                    await channel.channel_ready()
            except TimeoutError:
                self._away = True
                raise GenerationError("provider_unavailable", unreachable(self._address), began=False) from None
        self._away = False

    def _stub(self) -> lore_pb2_grpc.LoreServiceStub:
        if self._connection is None:
            channel = self._channel()
            self._connection = channel, lore_pb2_grpc.LoreServiceStub(channel)
        return self._connection[1]

    def _channel(self) -> grpc.aio.Channel:
        if self._tls is None:
            return grpc.aio.insecure_channel(self._address, options=_OPTIONS)
        return grpc.aio.secure_channel(self._address, self._tls.for_client(), options=_OPTIONS)

    async def _read(self, call: EventStream) -> lore_pb2.GenerationEvent | None:
        """The next message, None at the end of the stream."""
        try:
            async with asyncio.timeout(self._silence_seconds):
                message = await call.read()
        except TimeoutError:
            text = f"the model gave no output for {self._silence_seconds:g} s"
            raise GenerationError("provider_timeout", text) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            text = f"the connection to the lore service at {self._address!r} was closed"
            raise GenerationError("provider_unavailable", text) from None
        return None if message is grpc.aio.EOF else cast("lore_pb2.GenerationEvent", message)


def _is_cancelled() -> bool:
    """Whether this task was cancelled; grpc.aio raises the same exception for a closed channel."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
