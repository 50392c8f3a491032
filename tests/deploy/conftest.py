"""The wheel as it is built for others to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.compose import ROOT

UV: Final = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    do(UV, "build", "-q", "--wheel", "--build-constraints", "requirements/build.txt", "-o", str(folder), ".")
    return next(folder.glob("*.whl"))


def do(*words: str) -> str:
    """Run a program in the root of the repository and return what it printed."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout
