"""Redis away: the API says so, lives on, and works again when Redis is back."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from loresmith.api import create_app
from loresmith.bootstrap import build_manager, connect
from loresmith.db import Worlds
from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.redis import EmbeddedRedis
from loresmith.jobs import JobRegistry
from tests.api.conftest import assert_problem, in_process
from tests.waiting import wait_until

SUBMIT = {"type": "write_verses", "payload": {"about": "rain"}}


@pytest.fixture
async def own_redis(short_tmp: Path) -> AsyncIterator[EmbeddedRedis]:
    """A server that a test may stop."""
    data_dir = DataDir(short_tmp)
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    yield server
    await server.stop()
    data_dir.close()


@pytest.fixture
async def api(own_redis: EmbeddedRedis, registry: JobRegistry, worlds: Worlds) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        connect(own_redis.url) as redis,
        in_process(create_app(build_manager(redis, registry), worlds, version="0.0.0")) as client,
    ):
        yield client


async def test_an_outage_is_named_and_survived(api: httpx2.AsyncClient, own_redis: EmbeddedRedis) -> None:
    path = (await api.post("/jobs", json=SUBMIT)).headers["location"]
    assert (await api.get("/readyz")).json() == {"status": "ready", "unknown_types": []}

    await own_redis.stop()
    for answer in (await api.post("/jobs", json=SUBMIT), await api.get(path)):
        problem = assert_problem(answer, 503, "store_unavailable")
        assert problem["retryable"] is True
        assert int(answer.headers["retry-after"]) > 0
    assert assert_problem(await api.get("/readyz"), 503, "not_ready")["missing"] == {"redis": "does not answer"}
    assert (await api.get("/healthz")).json() == {"status": "ok", "version": "0.0.0"}
    refused = await api.post("/jobs", json={"type": "write_verses", "payload": {}})
    assert_problem(refused, 400, "invalid_payload")

    await own_redis.start()
    await wait_until(lambda: _is_ready(api))
    assert (await api.get(path)).json()["status"] == "pending"
    assert (await api.post("/jobs", json=SUBMIT)).status_code == 202


async def _is_ready(api: httpx2.AsyncClient) -> bool:
    return (await api.get("/readyz")).status_code == 200
