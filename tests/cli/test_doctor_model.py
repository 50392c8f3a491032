"""The doctor asks the model for one object, and ends the pauses of providers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from loresmith.llm_service.ledger import Limits
from loresmith.llm_service.shared import SharedLedger
from tests.cli.conftest import Command
from tests.llm_service.openai_server import OpenAIServer, fails
from tests.providers.servers import chat_says


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    server = OpenAIServer()
    await server.start()
    monkeypatch.setenv("LORESMITH_MODEL", "openai-compatible:some")
    monkeypatch.setenv("LORESMITH_MODEL_BASE_URL", server.url)
    monkeypatch.setenv("LORESMITH_MODEL_API_KEY", "a-key-of-ours")
    monkeypatch.setenv("LORESMITH_PORT", "1")
    yield server
    await server.stop()


async def test_the_model_is_asked_for_one_object(provider: OpenAIServer, command: Command) -> None:
    provider.answers = [chat_says('{"colour":"red"}')]
    ran = await command("doctor", "--model")
    assert ran.code == 0
    text = " ".join(ran.out.split())
    assert "'Name a colour.' to 'some', as json_schema, for a stream of at most 512 tokens" in text
    assert '{"colour":"red"}' in text
    assert len(provider.exchanges) == 1


async def test_what_a_provider_says_is_printed_without_the_key(provider: OpenAIServer, command: Command) -> None:
    provider.answers = [fails("401 Unauthorized", {"message": "key a-key-of-ours is of another project"})]
    ran = await command("doctor", "--model")
    assert ran.code == 1
    text = " ".join(ran.out.split())
    assert "it answered 401:" in text
    assert "is of another project" in text
    assert "a-key-of-ours" not in text


async def test_pauses_are_shown_and_ended(
    command: Command, redis: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", redis_url)
    monkeypatch.setenv("LORESMITH_PORT", "1")
    ledger = SharedLedger(redis, "openai", Limits(), account="abc")
    await ledger.pause(90)
    shown = " ".join((await command("doctor")).out.split())
    assert re.search(r"the provider 'openai' asked for a pause, \d\d s are left", shown)
    cleared = " ".join((await command("doctor", "--clear-pauses")).out.split())
    assert "1 cleared" in cleared
    assert await ledger.take("r", 1) is None


async def test_a_pause_is_about_one_account(redis: Any) -> None:
    await SharedLedger(redis, "openai", Limits(), account="old-key").pause(60)
    assert await SharedLedger(redis, "openai", Limits(), account="new-key").take("r", 1) is None
    assert (await SharedLedger(redis, "openai", Limits(), account="old-key").take("r", 1)) is not None
