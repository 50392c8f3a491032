"""The tour of the README: what somebody types beside a `loresmith run`, each command a process of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e.conftest import START_SECONDS, ProcessOf, Start, process_of


@dataclass(frozen=True)
class Terminal:
    """Where somebody types."""

    data_dir: Path
    url: str

    async def __call__(self, *words: str, code: int = 0, of: ProcessOf = process_of) -> str:
        """Type a command; returns what it printed."""
        async with of(self.data_dir, *words, url=self.url) as process, asyncio.timeout(START_SECONDS):
            out, err = await process.communicate()
        assert process.returncode == code, err.decode()
        assert (err == b"") == (code == 0)
        return out.decode()


@pytest.mark.timeout(240)  # ten processes, four of which import what they need
async def test_a_tour_of_the_command_line(start: Start, short_tmp: Path, forked: ProcessOf) -> None:
    data_dir = short_tmp / "data"
    running = await start(data_dir, model="fake?seconds=0.5&tokens=40&seed=1")
    typed = Terminal(data_dir, str(running.http.base_url))

    watched = await typed("submit", "generate_characters", "theme=fantasy", "count=2", "--watch")
    assert watched.count("       + ") == 2
    assert "100 %  Job completed successfully" in watched
    assert max(map(len, watched.splitlines())) <= 80
    done: dict[str, Any] = orjson.loads(await typed("list", "--json", "--limit", "1"))[0]
    assert (done["status"], len(done["result"])) == ("completed", 2)

    submitted = await typed("submit", "generate_relics", "theme=steampunk", "--delay", "3600", of=forked)
    waiting = submitted.split()[0]
    assert await typed("cancel", waiting, of=forked) == f"{waiting}  cancelled\n"
    assert "cancelled" in await typed("list", "--state", "cancelled", of=forked)
    again = (await typed("retry", waiting, of=forked)).split()[0]
    assert "completed" in await typed("watch", again, "--json", of=forked)

    looked = await typed("doctor")
    assert {line.split()[0] for line in looked.splitlines() if not line.startswith(" ")} == {"ok"}
    await typed("submit", "generate_relic", code=2, of=forked)
    await running.stop()
    await typed("list", code=4)
