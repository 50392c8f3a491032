"""`loresmith new`: a small project with a job type of its own, from the templates of this package."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from loresmith.cli.stack import StartError
from loresmith.cli.terminal import say

_FILES = {
    "jobs.py": "jobs.py",
    "test_jobs.py": "test_jobs.py",
    "pyproject.toml": "pyproject.toml",
    "env.example": ".env.example",
    "gitignore": ".gitignore",
    "compose.yaml": "compose.yaml",
    "README.md": "README.md",
}
"""Templates, and what they are called in a project."""
_NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")


def new(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where to make it, such as my-app.")],
) -> None:
    """Make a small project: a job type, its test, and what runs them."""
    name = directory.absolute().name
    if not _NAME.fullmatch(name):
        raise StartError(f"{name!r} cannot be the name of a project: expected a-z, 0-9, - and _, such as my-app")
    try:
        _make(directory, name)
    except OSError as error:
        raise StartError(f"cannot write {str(directory)!r}: {(error.strerror or str(error)).lower()}") from None
    say(f"Made {directory}: {', '.join(_FILES.values())}", "", "Next:")
    say(f"  cd {directory}", "  pip install -e '.[dev]'", "  loresmith dev jobs.py")


def _make(directory: Path, name: str) -> None:
    if directory.is_dir() and any(directory.iterdir()):
        raise StartError(f"{str(directory)!r} is not empty: name a directory that does not exist")
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    for template, file in _FILES.items():
        text = (files("loresmith") / "templates" / "app" / template).read_text(encoding="utf-8")
        path = directory / file
        path.write_text(text.replace("{{ name }}", name), encoding="utf-8")
        path.chmod(0o644)  # what this process makes is its owner's alone else: a container would not read it
