"""`loresmith run jobs.py`, `dev`, `serve` and `worker` with job types of people's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.conftest import Fails, Process, ProcessOf, Run, free_port, is_ready
from tests.waiting import wait_until

JOBS = '''\
from pydantic import BaseModel

from loresmith import JobContext, generate, job_type


class Product(BaseModel):
    name: str
    features: list[str]


class Description(BaseModel):
    text: str


@job_type("describe_product")
async def describe_product(ctx: JobContext[Product]) -> Description:
    """Describe a product"""
    return await generate(ctx, Description, f"Describe {ctx.payload.name}")
'''
PRODUCT = {"name": "Lamp", "features": ["bright"]}


@pytest.fixture
def place(short_tmp: Path) -> Path:
    """The data directory; jobs.py is in the working directory, which is above it."""
    (short_tmp / "jobs.py").write_text(JOBS)
    return short_tmp / "data"


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}", trust_env=False) as http:
        yield http


def port_of(http: httpx2.AsyncClient) -> str:
    return str(http.base_url.port)


async def job_types(http: httpx2.AsyncClient) -> dict[str, Any]:
    return {kind["name"]: kind for kind in (await http.get("/job-types")).json()["data"]}


async def completes(process: Process, http: httpx2.AsyncClient) -> None:
    run = Run(process, http)
    job = await run.ended(await run.submit_type("describe_product", PRODUCT))
    assert job["status"] == "completed", job
    assert job["result"]["text"]


async def line_with(process: Process, text: str, *, errors: bool = False) -> str:
    """Return the next line with a text that a process writes."""
    stream = process.stderr if errors else process.stdout
    assert stream is not None
    while line := (await stream.readline()).decode():
        if text in line:
            return line.rstrip("\n")
    raise AssertionError(f"the process ended without {text!r}")


async def test_run_takes_a_file_and_leaves_the_product_out(
    place: Path, http: httpx2.AsyncClient, forked: ProcessOf
) -> None:
    async with forked(place, "run", "jobs.py", "--only", port=port_of(http)) as process:
        await wait_until(lambda: is_ready(process, http), seconds=50)

        assert await line_with(process, "  jobs") == "  jobs   describe_product"
        assert list(await job_types(http)) == ["describe_product"]
        assert [(await http.get(path)).status_code for path in ("/worlds", "/my-worlds", "/story/1")] == [404] * 3
        document = (await http.get("/openapi.json")).json()
        assert not [path for path in document["paths"] if "world" in path]
        refused = await http.post("/jobs", json={"type": "generate_relics", "payload": {"theme": "fantasy"}})
        assert refused.json()["code"] == "unknown_job_type"
        await completes(process, http)


async def test_serve_and_worker_take_a_module_from_the_setting(
    place: Path, http: httpx2.AsyncClient, forked: ProcessOf, redis_url: str
) -> None:
    lore = f"127.0.0.1:{free_port()}"
    shared = {"redis_url": redis_url, "lore_url": lore, "jobs": "jobs"}
    async with (
        forked(place, "lore", lore_listen=lore),
        forked(place, "worker", **shared),
        forked(place, "serve", port=port_of(http), **shared) as api,
    ):
        await wait_until(lambda: is_ready(api, http), seconds=50)

        assert {"describe_product", "create_world"} <= set(await job_types(http))
        await completes(api, http)


@pytest.mark.parametrize("command", ["run", "serve", "worker"])
async def test_a_file_with_a_mistake_is_one_line(place: Path, fails: Fails, command: str) -> None:
    (place.parent / "jobs.py").write_text(f"import nothing_of_this_name\n{JOBS}")

    line = await fails(place, command, "jobs.py", redis_url="redis://127.0.0.1:1", lore_url="127.0.0.1:1")

    assert line.startswith("loresmith: jobs.py:1: cannot import: No module named 'nothing_of_this_name': install it")


async def test_only_without_job_types_is_one_line(place: Path, fails: Fails) -> None:
    line = await fails(place, "run", "--only")

    assert line.startswith("loresmith: there are no job types: name a file or a module that has some")


async def test_dev_without_a_file_is_one_line(place: Path, fails: Fails) -> None:
    assert (await fails(place, "dev")).startswith("loresmith: there is nothing to watch: name a file")
    assert (await fails(place, "dev", "job.py")).startswith("loresmith: job.py does not exist: expected a Python file")


async def test_dev_runs_the_code_as_it_is_after_each_change(
    place: Path, http: httpx2.AsyncClient, forked: ProcessOf
) -> None:
    file = place.parent / "jobs.py"
    file.write_text(JOBS.replace("pydantic", "pydantik"))
    async with forked(place, "dev", "jobs.py", port=port_of(http)) as process:
        line = await line_with(process, "jobs.py", errors=True)
        assert line.startswith("jobs.py:1: cannot import: No module named 'pydantik'")
        assert line.endswith("(waiting for a change)")

        file.write_text(JOBS)
        assert "jobs.py changed: describe_product, and 6 of LoreSmith (" in await line_with(process, "changed")
        await completes(process, http)

        file.write_text(f"{JOBS}\ndef broken(:\n")
        line = await line_with(process, "jobs.py", errors=True)
        assert line == "jobs.py changed: jobs.py:20: invalid syntax (the code before it goes on)"
        await completes(process, http)

        file.write_text(JOBS.replace("features: list", "virtues: list").replace("describe_product", "praise_product"))
        assert "jobs.py changed: praise_product, and" in await line_with(process, "changed")
        fields = (await job_types(http))["praise_product"]["payload_schema"]["properties"]
        assert list(fields) == ["name", "virtues"]
        kept = (await http.get("/jobs")).json()["data"]
        assert [job["type"] for job in kept] == ["describe_product"] * 2

        code, seconds = await Run(process, http).stop()
        assert (code, seconds < 10) == (0, True)
