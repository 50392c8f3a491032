"""The gRPC client of the lore service: what it makes of services that are away, silent or gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Self

import grpc.aio
import pytest

from loresmith.llm import client
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError, LoreProtocolError
from loresmith.llm.port import FieldsDone, GenerationRequest, LoreModel
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.server import LoreServer
from tests.waiting import wait_until

ORDER = GenerationRequest(
    "You write lore.", "A knight.", {"type": "object", "properties": {"name": {"type": "string"}}}
)


async def generate(model: GrpcLoreModel) -> int:
    """Runs one generation; returns the number of its events."""
    return len([event async for event in model.generate(ORDER, timeout_seconds=20)])


async def failure(model: GrpcLoreModel) -> GenerationError:
    with pytest.raises(GenerationError) as raised:
        await generate(model)
    return raised.value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A lore service with a provider that stalls half way in each call."""
    server = LoreServer(find_provider("fake?seconds=0&tokens=10&stall_rate=1"))
    yield f"127.0.0.1:{await server.start('127.0.0.1:0')}"
    await server.stop()


async def test_calls_go_to_each_address_of_a_name_in_turn() -> None:
    servers = [LoreServer(find_provider(f"fake?seconds=0&tokens=10&slots={slots}")) for slots in (1, 2)]
    places = [f"127.0.0.1:{await server.start('127.0.0.1:0')}" for server in servers]
    model = GrpcLoreModel(f"ipv4:{','.join(places)}")
    try:
        seen: set[int] = set()

        async def both() -> bool:
            seen.add((await model.capabilities()).concurrent_calls)
            return seen == {1, 2}

        await wait_until(both)
        await servers[0].stop()
        for _ in range(4):
            assert (await model.capabilities()).concurrent_calls == 2
    finally:
        await model.close()
        for server in servers:
            await server.stop()


def test_the_client_is_a_lore_model() -> None:
    assert isinstance(GrpcLoreModel("127.0.0.1:1"), LoreModel)


async def test_a_service_that_is_being_restarted_is_waited_for() -> None:
    address = f"127.0.0.1:{free_port()}"
    model = GrpcLoreModel(address, connect_seconds=60)
    writing, asking = asyncio.create_task(generate(model)), asyncio.create_task(model.capabilities())
    refused = GrpcLoreModel(address, connect_seconds=0.01)
    assert (await failure(refused)).code == "provider_unavailable"
    assert not writing.done()
    assert not asking.done()
    server = LoreServer(find_provider("fake?seconds=0&tokens=10"))
    await server.start(address)
    try:
        await asyncio.gather(writing, asking)
    finally:
        for each in (model, refused):
            await each.close()
        await server.stop()


async def test_a_service_that_is_away_is_named() -> None:
    model = GrpcLoreModel(f"127.0.0.1:{free_port()}", connect_seconds=0.1)
    error = await failure(model)
    assert (error.code, error.retryable) == ("provider_unavailable", True)
    assert error.message == f"the lore service could not be reached at {model._address!r}"
    with pytest.raises(GenerationError, match="could not be reached"):
        await model.capabilities()
    await model.close()


async def test_a_service_that_says_nothing_is_away_for_jobs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        model = GrpcLoreModel(f"127.0.0.1:{silent.getsockname()[1]}", call_silence_seconds=0.3, connect_seconds=0.1)
        with pytest.raises(GenerationError, match=r"did not answer for 0.2 s") as raised:
            await model.capabilities(timeout_seconds=0.2)
        assert raised.value.code == "provider_timeout"
        with pytest.raises(GenerationError, match="could not be reached") as raised:
            await model.capabilities()
        assert (raised.value.code, raised.value.began) == ("provider_unavailable", False)
        await model.close()


async def test_calls_fail_at_once_while_the_service_is_known_to_be_away() -> None:
    model = GrpcLoreModel(f"127.0.0.1:{free_port()}", connect_seconds=0.3)
    clock = asyncio.get_running_loop().time
    began = clock()
    assert not (await failure(model)).began
    assert clock() - began >= 0.3
    began = clock()
    for _ in range(50):
        assert not (await failure(model)).began
    assert clock() - began < 5, "50 calls that each wait take 15 s"
    server = LoreServer(find_provider("fake?seconds=0"))
    await server.start(model._address)
    await wait_until(lambda: answers(model), seconds=8)
    await model.close()
    await server.stop()


async def test_a_service_that_comes_back_is_found_within_seconds() -> None:
    model = GrpcLoreModel(f"127.0.0.1:{free_port()}", connect_seconds=0.1)
    for _ in range(3):
        await failure(model)
    server = LoreServer(find_provider("fake?seconds=0"))
    await server.start(model._address)
    await wait_until(lambda: answers(model), seconds=8)
    await model.close()
    await server.stop()


async def answers(model: GrpcLoreModel) -> bool:
    try:
        await model.capabilities()
    except GenerationError:
        return False
    return True


async def test_silence_of_the_model_ends_the_call(address: str) -> None:
    model = GrpcLoreModel(address, call_silence_seconds=0.2)
    error = await failure(model)
    assert (error.code, error.retryable) == ("provider_timeout", False)
    assert error.message == "the model gave no output for 0.2 s"
    await model.close()


async def test_closing_the_client_ends_its_calls_with_an_error(address: str) -> None:
    model = GrpcLoreModel(address)
    async with aclosing(model.generate(ORDER, timeout_seconds=20)) as events:
        assert isinstance(await anext(events), FieldsDone)
        rest = asyncio.create_task(drain(events))
        await asyncio.sleep(0)
        await model.close()
        with pytest.raises(GenerationError, match="was closed"):
            await rest


async def drain(events: AsyncIterator[object]) -> None:
    async for _ in events:
        pass


async def test_a_half_open_connection_is_noticed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = ("keepalive_time_ms", "timeout_ms")
    quick = [(key, 100 if key.endswith(short) else value) for key, value in client._OPTIONS]
    monkeypatch.setattr(client, "_OPTIONS", quick)
    async with HalfOpenProxy(address) as proxy:
        model = GrpcLoreModel(f"127.0.0.1:{proxy.port}")
        async with aclosing(model.generate(ORDER, timeout_seconds=20)) as events:
            await anext(events)
            proxy.swallow()
            with pytest.raises(GenerationError) as raised:
                await drain(events)
        assert (raised.value.code, raised.value.retryable) == ("provider_unavailable", True)
        await model.close()


class HalfOpenProxy:
    """Passes bytes on until told to swallow them, and then keeps the connection open."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._swallows = False
        self._pumps: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    def swallow(self) -> None:
        self._swallows = True

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._pumps.append(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(65536):
                if not self._swallows:
                    sink.write(piece)
        finally:
            sink.close()


async def test_another_service_at_the_address_is_a_bug_and_not_retried() -> None:
    other = grpc.aio.server()
    model = GrpcLoreModel(f"127.0.0.1:{other.add_insecure_port('127.0.0.1:0')}")
    await other.start()
    with pytest.raises(LoreProtocolError, match="UNIMPLEMENTED"):
        await generate(model)
    await model.close()
    await other.stop(None)
