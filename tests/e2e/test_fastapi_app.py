"""examples/fastapi_app, served by uvicorn beside a `loresmith run`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.conftest import Start, free_port
from tests.waiting import wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app"
ANNA = {"Authorization": "Bearer token-of-anna"}
BJORN = {"Authorization": "Bearer token-of-bjorn"}


@contextlib.asynccontextmanager
async def example(data_dir: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, httpx2.AsyncClient]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)),
        env={"PATH": os.environ["PATH"], "HOME": str(data_dir), "LORESMITH_DATA_DIR": str(data_dir)},
        cwd=EXAMPLE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def is_ready() -> bool:
                assert process.returncode is None, (await process.communicate())[1].decode()
                try:
                    return (await http.get("/lore/readyz")).status_code == 200
                except httpx2.TransportError:
                    return False

            await wait_until(is_ready, seconds=40)
            yield process, http
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_application_submits_follows_and_stops(short_tmp: Path, start: Start) -> None:
    data_dir = short_tmp / "data"
    await start(data_dir)
    async with example(data_dir) as (process, http):
        party = {"theme": "fantasy", "size": 2}
        assert (await http.post("/parties", json=party)).status_code == 401
        made: dict[str, Any] = (await http.post("/parties", json=party, headers=ANNA)).json()
        assert "event: done" in (await http.get(made["events"], headers=ANNA, timeout=40)).text
        read = (await http.get(f"/parties/{made['id']}", headers=ANNA)).json()
        assert (read["status"], len(read["heroes"])) == ("completed", 2)
        foreign = await http.get(f"/parties/{made['id']}", headers=BJORN)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "job_not_found")
        assert (await http.get("/lore/jobs", headers=BJORN)).json()["data"] == []

        later = {"type": "generate_characters", "payload": {"theme": "fantasy"}, "delay_seconds": 3600}
        job = (await http.post("/lore/jobs", json=later, headers=ANNA)).json()
        async with http.stream("GET", job["links"]["events"], headers=ANNA) as stream:
            lines = stream.aiter_lines()
            while "snapshot" not in await anext(lines):
                pass
            process.terminate()
            assert [line async for line in lines if line.startswith("event: done")] == []
        async with asyncio.timeout(20):
            assert await process.wait() in (0, -15)
