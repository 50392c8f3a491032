"""The short run: a worker host and the host of the Redis primary are cut off under load."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts.__main__ import NO_RIGHTS

_SECONDS = 480
"""Far more than it takes on a machine of its own (a minute)."""


@pytest.mark.timeout(_SECONDS + 10)
def test_hosts_that_are_cut_off_lose_nothing_and_double_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hosts", "--short"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode == NO_RIGHTS:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
