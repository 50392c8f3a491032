"""The systemd units are what systemd understands, and stop no process while it finishes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from loresmith.cli.app import build_app
from loresmith.cli.processes import LORE_GRACE_SECONDS, WORKER_GRACE_SECONDS, WORKER_LINGER_SECONDS
from tests.deploy.compose import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
NEEDED = {"worker": WORKER_GRACE_SECONDS + WORKER_LINGER_SECONDS + 5, "lore": LORE_GRACE_SECONDS + 5}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_command_and_waits_for_its_end(unit: Path) -> None:
    text = unit.read_text()
    found = re.search(r"^ExecStart=/opt/loresmith/bin/loresmith (\w+)$", text, re.MULTILINE)
    assert found is not None
    assert found[1] in {getattr(command.callback, "__name__", "") for command in build_app().registered_commands}
    stop = re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert stop is not None
    assert int(stop[1]) > NEEDED.get(found[1], 10)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/loresmith/bin/loresmith", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
