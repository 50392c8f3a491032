"""Who may call: the token, TLS with certificates of an authority, client certificates, and addresses that are open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm.tls import TlsFiles
from loresmith.llm_service.access import Access, ExposedError
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.server import LoreServer
from tests.llm_service.orders import collect, final_of, order
from tests.llm_service.papers import Papers

TOKEN = "a-token-of-some-length"


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def started(stack: AsyncExitStack, access: Access) -> str:
    """The address of a service."""
    server = LoreServer(find_provider("fake?seconds=0"), access)
    port = await server.start("127.0.0.1:0")
    stack.push_async_callback(server.stop)
    return f"127.0.0.1:{port}"


def client(stack: AsyncExitStack, address: str, **options: Any) -> GrpcLoreModel:
    model = GrpcLoreModel(address, **options)
    stack.push_async_callback(model.close)
    return model


@pytest.mark.parametrize("token", [None, "", "another-token-of-length", TOKEN + "x", TOKEN[:-1]])
async def test_without_the_right_token_nothing_is_answered(stack: AsyncExitStack, token: str | None) -> None:
    model = client(stack, await started(stack, Access(TOKEN)), token=token)
    for call in (collect(model, order()), model.capabilities()):
        with pytest.raises(GenerationError, match="refused our credentials") as raised:
            await call
        assert (raised.value.code, raised.value.retryable) == ("provider_auth", False)


async def test_a_missing_token_is_unauthenticated(stack: AsyncExitStack) -> None:
    model = client(stack, await started(stack, Access(TOKEN)))
    with pytest.raises(GenerationError) as raised:
        await model.capabilities()
    cause = raised.value.__cause__
    assert isinstance(cause, grpc.aio.AioRpcError)
    assert cause.code() is grpc.StatusCode.UNAUTHENTICATED
    assert TOKEN not in str(cause)


async def test_with_the_token_all_is_answered_and_health_needs_none(stack: AsyncExitStack) -> None:
    address = await started(stack, Access(TOKEN))
    assert final_of(await collect(client(stack, address, token=TOKEN), order()))
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_client_that_trusts_the_authority_speaks_tls(stack: AsyncExitStack, papers: Papers) -> None:
    address = await started(stack, Access(TOKEN, TlsFiles(*papers.of("127.0.0.1"))))
    model = client(stack, address, token=TOKEN, tls=TlsFiles(authority=papers.authority))
    assert final_of(await collect(model, order()))


async def test_a_client_that_trusts_another_authority_does_not_connect(
    stack: AsyncExitStack, papers: Papers, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    others = Papers(tmp_path / "other")
    address = await started(stack, Access(None, TlsFiles(*papers.of("127.0.0.1"))))
    for tls in (TlsFiles(authority=others.authority), None):
        with pytest.raises(GenerationError, match="could not be reached"):
            await client(stack, address, tls=tls).capabilities()


async def test_client_certificates_are_asked_for_where_an_authority_is_set(
    stack: AsyncExitStack, papers: Papers
) -> None:
    address = await started(stack, Access(None, TlsFiles(*papers.of("127.0.0.1"), papers.authority)))
    known = client(stack, address, tls=TlsFiles(*papers.of("worker"), papers.authority))
    assert final_of(await collect(known, order()))
    with pytest.raises(GenerationError, match="could not be reached"):
        await client(stack, address, tls=TlsFiles(authority=papers.authority)).capabilities()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "lore.example:50051"])
async def test_an_address_that_strangers_reach_needs_a_token_or_a_word(address: str) -> None:
    server = LoreServer(find_provider("fake"), Access())
    with pytest.raises(ExposedError, match="LORESMITH_LORE_TOKEN") as raised:
        await server.start(address)
    assert "\n" not in str(raised.value)
    for access in (Access(TOKEN), Access(anyone=True), Access(tls=TlsFiles(authority=Path("ca.pem")))):
        access.check_exposure(address)
    with pytest.raises(ExposedError):
        Access(tls=TlsFiles(Path("cert.pem"), Path("key.pem"))).check_exposure(address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "localhost:1"])
def test_loopback_needs_none(address: str) -> None:
    Access().check_exposure(address)


async def test_a_file_that_is_missing_or_none_is_named(papers: Papers, tmp_path: Path) -> None:
    certificate, key = papers.of("127.0.0.1")
    (tmp_path / "text").write_text("no certificate")
    for files, complaint in (
        (TlsFiles(tmp_path / "nowhere", key), "cannot read '.*nowhere': No such file"),
        (TlsFiles(certificate, tmp_path / "text"), "'.*text' is no PEM file"),
    ):
        with pytest.raises(ValueError, match=complaint):
            await LoreServer(find_provider("fake"), Access(tls=files)).start("127.0.0.1:0")


def test_the_token_does_not_show_in_a_repr() -> None:
    assert TOKEN not in repr(Access(TOKEN))
