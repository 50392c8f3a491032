"""Rows about what a model's provider says, shown by the doctor that asks it."""

from __future__ import annotations

from typing import Any

from loresmith.llm_service.ledger import Limits
from loresmith.llm_service.shared import SharedLedger
from tests.llm_service.openai_server import Exchange, OpenAIServer, fails, says
from tests.troubleshooting.conftest import Row


async def _asked(row: Row, server: OpenAIServer, *, path: str = "/v1", **settings: str) -> None:
    await server.start()
    url = server.url.removesuffix("/v1") + path
    await row.loresmith("doctor", "--model", model="openai-compatible:some", model_base_url=url, port="1", **settings)
    await server.stop()


async def test_base_url_without_v1(row: Row) -> None:
    server = OpenAIServer()
    server.answers = [fails("404 Not Found", {"message": "no such page"})]
    await _asked(row, server, path="")
    row.judge()


async def test_output_cut_off(row: Row) -> None:
    server = OpenAIServer()
    server.answers = [says('{"colour":"re', finish="length")]
    await _asked(row, server)
    row.judge()


async def test_model_silent(row: Row) -> None:
    async def play(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.disconnected.wait()

    server = OpenAIServer()
    server.answers = [play]
    await _asked(row, server, model_silence_seconds="1")
    row.judge()


async def test_provider_paused(row: Row, redis: Any, redis_url: str) -> None:
    await SharedLedger(redis, "openai", Limits(), account="abc").pause(90)
    await row.loresmith("doctor", redis_url=redis_url, port="1")
    await row.loresmith("doctor", "--clear-pauses", redis_url=redis_url, port="1")
    row.judge()
