"""Rows about processes that do not start."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.errors import GenerationError
from tests.chaos.children import RedisChild
from tests.e2e.conftest import START_SECONDS, Start, alone_fails, free_port, process_of
from tests.troubleshooting.conftest import Lore, Row, answering, http_answer
from tests.waiting import wait_until

pytestmark = pytest.mark.long  # each starts LoreSmith once or twice


async def test_setting_unknown(row: Row) -> None:
    row.saw(await alone_fails(row.data_dir, prot="8081"))
    await row.loresmith("doctor", prot="8081")
    assert "wrong" not in await row.loresmith("doctor")
    row.judge()


async def test_port_taken(row: Row, start: Start) -> None:
    async with answering(lambda _: http_answer("200 OK", "hello", "text/html")) as port:
        row.saw(await alone_fails(row.data_dir, port=str(port)))
        await row.loresmith("doctor", port=str(port))
        await start(port=str(free_port()))
    row.judge()


async def test_host_of_another_machine(row: Row, start: Start) -> None:
    row.saw(await alone_fails(row.data_dir, host="192.0.2.1", allow_anonymous="1"))
    await start(host="127.0.0.1")
    row.judge()


async def test_data_directory_in_use(row: Row, start: Start, short_tmp: Path) -> None:
    run = await start()
    row.saw(await alone_fails(row.data_dir))
    await start(short_tmp / "another")
    await run.stop()
    await start()
    row.judge()


async def test_open_to_strangers(row: Row, start: Start) -> None:
    row.saw(await alone_fails(row.data_dir, host="0.0.0.0"))
    await row.loresmith("keys", "create", "anna", host="0.0.0.0", auth="keys")
    run = await start(host="0.0.0.0", auth="keys")
    assert (await run.http.get("/jobs")).status_code == 401
    row.judge()


async def test_lore_open_to_strangers(row: Row) -> None:
    port = free_port()
    row.saw(await alone_fails(row.data_dir, "lore", lore_listen=f"0.0.0.0:{port}"))
    token = "sixteen-letters-or-more"
    async with process_of(row.data_dir, "lore", lore_listen=f"0.0.0.0:{port}", lore_token=token):
        model = GrpcLoreModel(f"127.0.0.1:{port}", token=token)
        await wait_until(lambda: _serves(model), seconds=START_SECONDS)
        await model.close()
    row.judge()


async def _serves(model: GrpcLoreModel) -> bool:
    with suppress(GenerationError):
        return bool((await model.capabilities()).concurrent_calls)
    return False


async def test_redis_away_at_start(row: Row, start: Start, short_tmp: Path) -> None:
    redis = RedisChild(short_tmp, fsync="everysec")
    settings = {"redis_url": f"unix://{redis.socket}"}
    row.saw(await alone_fails(row.data_dir, **settings))
    await row.loresmith("doctor", **settings)
    await redis.start()
    try:
        run = await start(**settings)
        assert (await run.ended(await run.submit()))["status"] == "completed"
        await run.stop()
    finally:
        await redis.kill()
    row.judge()


async def test_not_migrated(row: Row, start: Start, redis_url: str, postgres_url: str) -> None:
    settings = {"redis_url": redis_url, "database_url": postgres_url}
    row.saw(await alone_fails(row.data_dir, **settings))
    await row.loresmith("doctor", **settings)
    await row.loresmith("migrate", **settings)
    await start(**settings)
    row.judge()


async def test_lore_away_at_start(row: Row, start: Start, redis_url: str, lore: Lore) -> None:
    settings = {"redis_url": redis_url, "lore_url": f"127.0.0.1:{free_port()}"}
    row.saw(await alone_fails(row.data_dir, **settings))
    await row.loresmith("doctor", **settings)
    await lore(settings["lore_url"])
    await start(**settings)
    row.judge()


async def test_lore_token(row: Row, start: Start, redis_url: str, lore: Lore) -> None:
    settings = {"redis_url": redis_url, "lore_url": f"127.0.0.1:{free_port()}"}
    await lore(settings["lore_url"], token="the-token-of-the-service")
    row.saw(await alone_fails(row.data_dir, lore_token="another-token-of-ours", **settings))
    await row.loresmith("doctor", lore_token="another-token-of-ours", **settings)
    run = await start(lore_token="the-token-of-the-service", **settings)
    assert (await run.ended(await run.submit()))["status"] == "completed"
    row.judge()
