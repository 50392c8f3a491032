"""Each extra of the wheel, installed into an environment of its own as `pip install 'loresmith[…]'` does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.conftest import UV, do
from tests.e2e.conftest import FAKE, free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.long, pytest.mark.wheel]

LIGHT = """
import sys, loresmith
with loresmith.JobsClient(sys.argv[1]) as client:
    job = client.submit("generate_characters", theme="fantasy", count=1)
    print(len(job.result(timeout=60)), job.status)
ours = {name for name in sys.modules if name.startswith("loresmith.")}
client = ("loresmith.client", "loresmith.pasted", "loresmith.proxies")
print(sorted(name for name in ours if not name.startswith(client)))
"""
SERVERS = {"fastapi", "grpcio", "orjson", "pydantic", "redis", "rich", "sqlalchemy", "structlog", "typer", "uvicorn"}


@dataclass(frozen=True)
class Installed:
    """An environment in which the wheel is installed."""

    place: Path

    def run(self, program: str, *words: str, **settings: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of a program of the environment."""
        variables = {f"LORESMITH_{name.upper()}": value for name, value in settings.items() if name.islower()}
        variables |= {name: value for name, value in settings.items() if name.isupper()}
        done = subprocess.run(
            [self.place / "bin" / program, *words],
            env={"PATH": os.environ["PATH"], "HOME": str(self.place), **variables},
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def fails(self, program: str, *words: str, **settings: str) -> str:
        """Return the one line with which a program ends."""
        code, out, err = self.run(program, *words, **settings)
        assert (code, out, err.count("\n")) == (1, "", 1), f"{code} {out} {err}"
        return err

    def packages(self) -> set[str]:
        """Return the names of what is installed."""
        listed = do(UV, "pip", "list", "-q", "--format", "freeze", "-p", str(self.place))
        return {line.partition("==")[0].partition(" @")[0] for line in listed.splitlines()}


Install = Callable[[str], Installed]


@pytest.fixture(scope="module")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Installs the wheel with an extra, in the versions of the lock."""

    def install(extra: str) -> Installed:
        place = tmp_path_factory.mktemp("extra") / "venv"
        do(UV, "venv", "-q", "-p", sys.executable, str(place))
        wanted = f"loresmith{extra} @ {wheel.as_uri()}"
        do(UV, "pip", "install", "-q", "-p", str(place), "-c", "requirements/runtime.txt", wanted)
        do(UV, "pip", "check", "-q", "-p", str(place))
        return Installed(place)

    return install


@pytest.fixture(scope="module")
def light(install: Install) -> Installed:
    return install("")


@pytest.fixture(scope="module")
def server(install: Install) -> Installed:
    return install("[server]")


def test_client_alone_is_light(light: Installed) -> None:
    packages = light.packages()
    assert {"loresmith", "httpx2", "msgspec", "tenacity"} <= packages
    assert not SERVERS & packages
    assert len(packages) <= 12, packages


@pytest.mark.parametrize("words", [["run"], ["--help"], ["submit", "generate_characters"]], ids=lambda words: words[0])
def test_command_without_the_server_names_the_extra(light: Installed, words: list[str]) -> None:
    assert "pip install 'loresmith[server]'" in light.fails("loresmith", *words)


@pytest.mark.parametrize("name", ["job_type", "asgi_app", "Jobs", "generate"])
def test_name_of_the_server_names_the_extra(light: Installed, name: str) -> None:
    code, _, err = light.run("python", "-c", f"from loresmith import {name}")
    assert code == 1
    last = err.splitlines()[-1]
    assert last.startswith(f"ImportError: loresmith.{name} needs ")
    assert last.endswith("pip install 'loresmith[server]'")


def test_server_names_the_extra_that_a_setting_needs(server: Installed, redis_url: str) -> None:
    assert "pip install 'loresmith[embedded]'" in server.fails("loresmith", "run", model=FAKE, port=str(free_port()))
    postgres = server.fails("loresmith", "migrate", database_url="postgresql://anna@localhost/lore")
    assert "pip install 'loresmith[postgres]'" in postgres
    traced = server.fails(
        "loresmith",
        "serve",
        redis_url=redis_url,
        port=str(free_port()),
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318",
    )
    assert "pip install 'loresmith[otel]'" in traced
    embedded = server.fails("loresmith", "lore")
    assert "pip install 'loresmith[embedded]'" in embedded


def test_postgres_brings_the_driver_and_the_server(install: Install, postgres_url: str) -> None:
    code, out, err = install("[postgres]").run("loresmith", "migrate", database_url=postgres_url)
    assert (code, err) == (0, "")
    assert "done: the schema is at" in out


def test_otel_brings_traces_and_the_server(install: Install) -> None:
    code, _, err = install("[otel]").run("python", "-c", "import loresmith.api, loresmith.telemetry.otel")
    assert (code, err) == (0, "")


async def test_light_client_runs_a_job_on_an_embedded_server(install: Install, light: Installed) -> None:
    embedded, port = install("[embedded]"), free_port()
    variables = {"LORESMITH_MODEL": FAKE, "LORESMITH_PORT": str(port), "HOME": str(embedded.place)}
    process = await asyncio.create_subprocess_exec(
        str(embedded.place / "bin" / "loresmith"),
        "run",
        env={"PATH": os.environ["PATH"], **variables},
        cwd=embedded.place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        ready = "import sys, httpx2; sys.exit(httpx2.get(sys.argv[1] + '/readyz').status_code != 200)"
        await wait_until(lambda: light.run("python", "-c", ready, url)[0] == 0, seconds=60)
        code, out, err = light.run("python", "-c", LIGHT, url)
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 30)
    assert (code, out, err) == (0, "1 completed\n[]\n", "")
