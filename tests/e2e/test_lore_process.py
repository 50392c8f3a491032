"""`loresmith lore` with TLS, client certificates and a token, and what it does on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from loresmith.llm.tls import TlsFiles
from tests.e2e.conftest import ProcessOf, free_port
from tests.llm_service.orders import collect, final_of, order
from tests.llm_service.papers import Papers
from tests.waiting import wait_until

TOKEN = "a-token-of-some-length"


async def answers(model: GrpcLoreModel) -> bool:
    try:
        await model.capabilities()
    except GenerationError:
        return False
    return True


async def test_a_guarded_service_serves_those_it_knows_and_drains(short_tmp: Path, forked: ProcessOf) -> None:
    papers = Papers(short_tmp)
    certificate, key = papers.of("127.0.0.1")
    settings = {
        "lore_listen": f"127.0.0.1:{free_port()}",
        "model": "fake?seconds=1.5&tokens=30",
        "lore_token": TOKEN,
        "lore_tls_cert": str(certificate),
        "lore_tls_key": str(key),
        "lore_tls_ca": str(papers.authority),
    }
    tls = TlsFiles(*papers.of("worker"), papers.authority)
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(forked(short_tmp / "data", "lore", **settings))
        model = GrpcLoreModel(settings["lore_listen"], token=TOKEN, tls=tls)
        stack.push_async_callback(model.close)
        await wait_until(lambda: answers(model), seconds=50)
        stranger = GrpcLoreModel(settings["lore_listen"], tls=tls)
        stack.push_async_callback(stranger.close)
        with pytest.raises(GenerationError, match="refused our credentials"):
            await collect(stranger, order())
        events = model.generate(order(), timeout_seconds=20)
        rest = [await anext(events)]
        process.send_signal(signal.SIGTERM)
        rest += [event async for event in events]
        assert final_of(rest), "a call that runs is finished first"
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_a_second_signal_skips_the_grace(short_tmp: Path, forked: ProcessOf) -> None:
    settings = {"lore_listen": f"127.0.0.1:{free_port()}", "model": "fake?seconds=60&tokens=60"}
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(forked(short_tmp / "data", "lore", **settings))
        model = GrpcLoreModel(settings["lore_listen"])
        stack.push_async_callback(model.close)
        await wait_until(lambda: answers(model), seconds=50)
        events = model.generate(order(), timeout_seconds=60)
        await anext(events)
        process.send_signal(signal.SIGTERM)

        async def drains() -> bool:
            return not await answers(model)

        await wait_until(drains)
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        with pytest.raises(GenerationError):
            [event async for event in events]
