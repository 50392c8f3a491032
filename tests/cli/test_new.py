"""`loresmith new` makes a project that works as it is."""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from loresmith.cli.app import run_command
from loresmith.cli.new import _FILES
from loresmith.jobs import JobModule
from loresmith.settings import PREFIX, Settings


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The modules of a project are gone after a test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in ("jobs", "test_jobs"):
        sys.modules.pop(name, None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    before = os.umask(0o077)  # as `loresmith` sets it
    try:
        assert run_command(["new", "my-app"]) == 0
    finally:
        os.umask(before)
    return tmp_path / "my-app"


async def test_the_tests_of_a_new_project_pass(project: Path) -> None:
    (kind,) = JobModule.find(str(project / "jobs.py")).load()
    assert kind.name == "describe_product"
    tests = importlib.import_module("test_jobs")
    assert Path(str(tests.__file__)).parent == project
    names = [name for name in vars(tests) if name.startswith("test_")]
    assert len(names) >= 3
    for name in names:
        await getattr(tests, name)()


def test_every_file_is_there_can_be_read_and_has_its_name(project: Path) -> None:
    assert sorted(path.name for path in project.iterdir()) == sorted(_FILES.values())
    for path in project.iterdir():
        assert "{{" not in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o644
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"] == "my-app"
    assert (project / "README.md").read_text().startswith("# my-app\n")


def test_compose_runs_its_commands_with_settings_that_exist(project: Path) -> None:
    document: dict[str, Any] = yaml.safe_load((project / "compose.yaml").read_text())
    services = document["services"]

    assert document["name"] == "my-app"
    assert {"loresmith serve jobs.py --only", "loresmith worker jobs.py --only", "loresmith lore"} <= {
        " ".join(service["command"]) for service in services.values() if isinstance(service.get("command"), list)
    }
    named = {name for service in services.values() for name in service.get("environment", {})}
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert {name for name in named if name.startswith(PREFIX)} <= known
    example = (project / ".env.example").read_text()
    assert all(f"{name}=" in example for name in ("POSTGRES_PASSWORD", "LORESMITH_LORE_TOKEN", "LORESMITH_MODEL"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("full", "loresmith: 'full' is not empty: name a directory that does not exist\n"),
        ("My App", "loresmith: 'My App' cannot be the name of a project: expected a-z, 0-9, - and _, such as my-app\n"),
        ("file/app", "loresmith: cannot write 'file/app': not a directory\n"),
    ],
)
def test_a_project_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("")

    assert run_command(["new", name]) == 1

    assert capsys.readouterr().err == said
