"""The command line against a real server, each command as a call that returns what it printed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from loresmith.cli.app import run_command
from tests.api.conftest import (
    address,
    app,
    cue,
    database,
    manager,
    registry,
    remote,
    worker,
    worlds,
)

__all__ = [
    "address",
    "app",
    "cue",
    "database",
    "manager",
    "registry",
    "remote",
    "worker",
    "worlds",
]
"""Fixtures of the API, for the tests here."""


@dataclass(frozen=True)
class Ran:
    """What a command ended with, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


Command = Callable[..., Awaitable[Ran]]


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the developer, 80 columns, no colour, an empty working directory."""
    import os

    for name in [name for name in os.environ if name.startswith("LORESMITH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LORESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `loresmith WORDS…` in a thread of this process."""

    async def run(*words: str) -> Ran:
        capsys.readouterr()
        code = await asyncio.to_thread(run_command, list(words))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def server(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> str:
    """A real server, which LORESMITH_URL names."""
    url = f"http://{address[0]}:{address[1]}"
    monkeypatch.setenv("LORESMITH_URL", url)
    return url
