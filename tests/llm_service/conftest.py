"""A lore service on loopback with a client, and a provider for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm_service.provider import Provider, find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from tests.llm_service.openai_server import OpenAIServer

Serve = Callable[[Provider | Route], Awaitable[GrpcLoreModel]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a lore service for a provider; returns a client of it."""
    async with AsyncExitStack() as stack:

        async def start(provider: Provider | Route) -> GrpcLoreModel:
            server = LoreServer(provider, queued_reminder_seconds=0.02)
            port = await server.start("127.0.0.1:0")
            stack.push_async_callback(server.stop)
            model = GrpcLoreModel(f"127.0.0.1:{port}")
            stack.push_async_callback(model.close)
            return model

        yield start


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIServer]:
    """A scripted server that speaks OpenAI's protocol."""
    server = OpenAIServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def model(serve: Serve, openai: OpenAIServer) -> GrpcLoreModel:
    """A client of a lore service whose provider is `openai`."""
    provider = find_provider(
        "openai-compatible:knight-1",
        base_url=openai.url,
        api_key="secret-key",
        concurrent_calls=2,
        extra_body={"min_p": 0.05},
    )
    return await serve(provider)
