"""A scripted server that speaks OpenAI's protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.llm_service.openai_server import OpenAIServer


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIServer]:
    """A server that holds requests to the rules of its path."""
    server = OpenAIServer()
    await server.start()
    yield server
    await server.stop()
