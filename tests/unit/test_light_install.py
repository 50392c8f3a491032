"""What the client alone loads and says; tests/deploy/test_extras.py installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

OF_SERVERS = ("alembic", "fastapi", "grpc", "orjson", "pydantic", "redis", "rich", "sqlalchemy", "starlette", "typer")
WITHOUT_SERVER = f"import sys; sys.modules.update(dict.fromkeys({OF_SERVERS!r}));"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_loresmith_loads_nothing() -> None:
    shown = "print([name for name in sys.modules if name.startswith('loresmith.') or name == 'httpx2'])"
    assert run(f"import sys, loresmith; {shown}").stdout == "[]\n"


def test_client_works_without_the_server() -> None:
    code = (
        "import loresmith; print(loresmith.JobsClient('http://localhost').base_url, loresmith.AsyncJobsClient.__name__)"
    )
    done = run(WITHOUT_SERVER + code)
    assert (done.stdout, done.stderr) == ("http://localhost AsyncJobsClient\n", "")


@pytest.mark.parametrize("name", ["Jobs", "JobContext", "asgi_app", "generate", "job_type"])
def test_name_that_needs_the_server_names_the_extra(name: str) -> None:
    last = run(f"{WITHOUT_SERVER} from loresmith import {name}").stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: loresmith.{name} needs ")
    assert last.endswith("not installed: pip install 'loresmith[server]'")


def test_command_that_needs_the_server_names_the_extra() -> None:
    done = run(f"{WITHOUT_SERVER} from loresmith.__main__ import main; main()")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("loresmith: the command line needs ")
    assert done.stderr.endswith("not installed: pip install 'loresmith[server]'\n")
    assert done.stderr.count("\n") == 1


def test_name_that_there_is_not_is_an_attribute_error() -> None:
    last = run("import loresmith; loresmith.nothing").stderr.splitlines()[-1]
    assert last == "AttributeError: module 'loresmith' has no attribute 'nothing'"
