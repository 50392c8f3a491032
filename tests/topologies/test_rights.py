"""A user of Redis with the rights that the documentation gives, and no more, is enough for every process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from loresmith.jobs import JobContext, Status, job_type
from loresmith.redis_server import RedisServerError, check_server
from tests.e2e.conftest import START_SECONDS, Run, free_port, is_ready, process_of, spawn
from tests.redis.conftest import Engine
from tests.topologies.rights import documented_rights
from tests.topologies.servers import Cluster, Server, running
from tests.waiting import wait_until

_SECRET = "of-the-user"


class Nothing(BaseModel):
    """An empty payload."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server whose only users are an administrator and the documented one."""
    with running(Server(tmp_path / "redis", ["--requirepass", "of-the-admin"], password="of-the-admin")) as server:
        server.ask(*documented_rights(_SECRET))
        yield server


def _url(server: Server) -> str:
    return f"redis://loresmith:{_SECRET}@127.0.0.1:{server.port}/0"


@pytest.mark.timeout(300)  # starts four processes and a command
async def test_every_process_works_with_the_documented_rights(server: Server, short_tmp: Path) -> None:
    lore, port = f"127.0.0.1:{free_port()}", str(free_port())
    shared = {"redis_url": _url(server), "lore_url": lore, "model": "fake?seconds=0.3&tokens=40&seed=1"}
    limits = {"model_concurrency": "20", "model_tokens_per_minute": "1000000", "budget_job_tokens": "100000"}
    api = {"owner_requests_per_minute": "100000", "owner_active_jobs": "100", "port": port}
    async with AsyncExitStack() as stack:
        for command, settings in (("lore", {"lore_listen": lore, **limits}), ("worker", {}), ("serve", api)):
            started = process_of(short_tmp / "data", command, **shared, **settings)
            process = await stack.enter_async_context(started)
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        await wait_until(lambda: is_ready(process, http), seconds=START_SECONDS)
        await _use(Run(process, http))
        told = await _output(short_tmp / "data", "doctor", **shared, **api, url=str(http.base_url))
        assert "redis memory" in told
        whole_port = str(free_port())
        whole_process = process_of(short_tmp / "data", "run", port=whole_port, redis_url=_url(server))
        whole = await stack.enter_async_context(whole_process)
        other = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{whole_port}", trust_env=False)
        )
        await wait_until(lambda: is_ready(whole, other), seconds=START_SECONDS)
        assert (await Run(whole, other).ended(await Run(whole, other).submit(1)))["status"] == "completed"
    assert _denied(server) == []


async def _use(run: Run) -> None:
    """Run a job and read its events, cancel one, retry it, list, count, pause, and delete."""
    job_id = await run.submit(2)
    async with run.http.stream("GET", f"/jobs/{job_id}/events", timeout=60.0) as answer:
        events = "".join([chunk async for chunk in answer.aiter_text()])
    assert "completed" in events
    assert (await run.ended(job_id))["status"] == "completed"
    token = (await run.http.post(f"/jobs/{job_id}/tokens")).json()
    assert token
    stopped = await run.submit(5)
    await run.http.post(f"/jobs/{stopped}/cancel")
    assert (await run.ended(stopped))["state"] == "cancelled"
    retried = await run.http.post(f"/jobs/{stopped}/retry")
    assert retried.status_code in (201, 202), retried.text
    await run.ended(retried.json()["id"])
    once = {"type": "generate_relics", "payload": {"theme": "fantasy", "count": 1}, "delay_seconds": 1}
    for _ in range(2):
        assert (await run.http.post("/jobs", json=once, headers={"Idempotency-Key": "one"})).status_code in (200, 202)
    for path in ("/jobs", "/stats", "/readyz", f"/jobs/{job_id}"):
        assert (await run.http.get(path)).status_code == 200, path
    assert (await run.http.delete(f"/jobs/{job_id}")).status_code == 204
    assert (await run.http.post("/queues/default/pause")).status_code == 204
    assert (await run.http.post("/queues/default/resume")).status_code == 204


async def _output(data_dir: Path, *words: str, **settings: str) -> str:
    process = await spawn(data_dir, *words, **settings)
    async with asyncio.timeout(START_SECONDS):
        out, _ = await process.communicate()
    return out.decode()


def _denied(server: Server) -> list[Any]:
    return [(entry["reason"], entry["object"]) for entry in server.ask("ACL", "LOG")]


async def test_a_cluster_takes_the_documented_rights(cluster: Cluster) -> None:
    @job_type("plain")
    async def plain(ctx: JobContext[Nothing]) -> int:
        return ctx.run

    for node in cluster.nodes:
        node.ask(*documented_rights(_SECRET))
        node.ask("ACL", "LOG", "RESET")
    try:
        async with AsyncExitStack() as stack:
            engine = Engine(cluster.url.replace("://", f"://loresmith:{_SECRET}@"), stack)
            await engine.worker(plain)
            job = await engine.manager.create("plain", {})
            assert (await engine.ended(job.id)).status is Status.COMPLETED
        assert [_denied(node) for node in cluster.nodes] == [[], [], []]
    finally:
        for node in cluster.nodes:
            node.ask("ACL", "DELUSER", "loresmith")


async def test_a_user_without_rights_is_referred_to_them(server: Server) -> None:
    from loresmith.bootstrap import connect

    server.ask("ACL", "SETUSER", "loresmith", "-info")
    async with connect(_url(server)) as client:
        with pytest.raises(RedisServerError, match=r"does not let this user .*: give it the rights of docs/scaling.md"):
            await check_server(client, _url(server))
