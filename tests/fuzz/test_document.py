"""schemathesis over a running server with the scripted model: no bug of ours, no answer that is not documented."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import running

CONFIG = Path(__file__).with_name("schemathesis.toml")
MODEL = "fake?seconds=0.05&tokens=10&slots=60"


@pytest.mark.parametrize(
    ("examples", "least_cases"),
    [
        pytest.param(15, 300, id="short", marks=pytest.mark.timeout(240)),
        pytest.param(850, 10_000, id="long", marks=[pytest.mark.long, pytest.mark.api_long]),
    ],
)
async def test_the_server_is_what_its_document_says(short_tmp: Path, examples: int, least_cases: int) -> None:
    async with running(short_tmp / "data", model=MODEL) as run:
        told, code = await _tried(str(run.http.base_url).rstrip("/"), examples, short_tmp)
        assert run.process.returncode is None
    assert code == 0, told
    cases = re.search(r"([\d,]+) generated", told)
    assert cases is not None, told
    sys.stderr.write(f"{cases[0]}\n")
    assert int(cases[1].replace(",", "")) >= least_cases


async def _tried(base_url: str, examples: int, folder: Path) -> tuple[str, int | None]:
    """Run schemathesis with all its checks; returns what it says and its exit code."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run"),
        *(f"{base_url}/openapi.json", "--checks", "all", "-n", str(examples), "--seed", "1", "--no-color"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return told.decode(), process.returncode
