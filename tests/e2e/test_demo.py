"""`loresmith demo`: from nothing to three readable items, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.conftest import START_SECONDS, Fails, ProcessOf, spawn


async def test_the_demo_prints_three_characters_in_80_columns(short_tmp: Path) -> None:
    process = await spawn(short_tmp / "data", "demo")
    async with asyncio.timeout(START_SECONDS):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    text = out.decode()
    lines = text.splitlines()
    assert sum(set(line) == {"-"} for line in lines) == 3
    assert text.count("  backstory: ") == 3
    assert "Job completed successfully" in text
    assert max(map(len, lines)) <= 80
    assert not (short_tmp / "data").exists()


async def test_the_demo_takes_a_type_and_a_theme(short_tmp: Path, forked: ProcessOf) -> None:
    words = ("demo", "generate_relics", "--theme", "steampunk")
    async with forked(short_tmp / "data", *words, model="fake?seconds=0.1") as process, asyncio.timeout(START_SECONDS):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    text = out.decode()
    assert "Generating relics..." in text
    assert text.count("  power: ") == 3
    assert "None" not in text
    assert max(map(len, text.splitlines())) <= 80


async def test_the_demo_of_an_unknown_type_names_those_there_are(short_tmp: Path, fails: Fails) -> None:
    line = await fails(short_tmp / "data", "demo", "generate_weather")
    assert "generate_weather" in line
    assert "generate_characters" in line


async def test_the_demo_says_why_a_job_failed(short_tmp: Path, fails: Fails) -> None:
    line = await fails(short_tmp / "data", "demo", model="fake?seconds=0.1", budget_job_tokens="1")
    assert line.startswith("loresmith: the job failed: ")
