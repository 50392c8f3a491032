"""Two releases of the worker on one queue: upgraded and rolled back while jobs run."""

from __future__ import annotations

import re
import shutil
import signal
from collections import Counter
from pathlib import Path

import loresmith
from loresmith.jobs import Job, Status
from loresmith.jobs.types import SCHEMA_VERSION
from tests.fleet.conftest import Fleet
from tests.waiting import wait_until

ITEMS = 4


def next_release(folder: Path) -> Path:
    """Make a package whose documents have one more field and a higher version, and whose scripts are others."""
    package = folder / "loresmith"
    shutil.copytree(Path(loresmith.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "web"))
    types = package / "jobs" / "types.py"
    text, found = re.subn(
        rf"SCHEMA_VERSION: Final = {SCHEMA_VERSION}\b", "SCHEMA_VERSION: Final = 99", types.read_text()
    )
    text, fields = re.subn(r"( +)v: int = SCHEMA_VERSION", r"\1v: int = SCHEMA_VERSION\n\1mood: str = 'calm'", text)
    assert (found, fields) == (1, 2)
    types.write_text(text)
    scripts = list(package.rglob("*.lua"))
    assert scripts
    for script in scripts:
        script.write_text(script.read_text() + "\n-- of the next release\n")
    return folder


async def submitted(fleet: Fleet, count: int) -> list[Job]:
    return [await fleet.manager.create("work", {"items": ITEMS, "seconds": 1.0}) for _ in range(count)]


async def started(fleet: Fleet, jobs: list[Job]) -> None:
    """Return when each of them has made an item."""
    ids = {job.id for job in jobs}
    await wait_until(lambda: ids <= {line.split()[0] for line in fleet.lines("item 0")})


async def test_an_upgrade_and_its_rollback_lose_nothing_and_double_nothing(fleet: Fleet, short_tmp: Path) -> None:
    release = next_release(short_tmp / "next")
    before = await fleet.worker()
    jobs = await submitted(fleet, 10)
    await started(fleet, jobs)
    after = await fleet.worker(release=release)
    before.send(signal.SIGTERM)  # in the middle of their items
    jobs += await submitted(fleet, 10)
    await started(fleet, jobs)
    await fleet.worker()
    after.send(signal.SIGTERM)
    jobs += await submitted(fleet, 10)

    ends = [await fleet.ended(job.id) for job in jobs]
    assert {job.status for job in ends} == {Status.COMPLETED}
    assert [job.rescues for job in ends] == [0] * 30
    ledger = Counter(line.split(maxsplit=2)[0] for line in fleet.lines("finished"))
    assert ledger == {job.id: 1 for job in jobs}
    for index in range(ITEMS):
        assert len(fleet.lines(f"item {index}")) == 30


async def test_each_release_takes_over_from_a_dead_worker_of_the_other(fleet: Fleet, short_tmp: Path) -> None:
    release = next_release(short_tmp / "next")
    dying = await fleet.worker(release=release)
    job = await fleet.manager.create("work", {"items": 2, "wait_for": str(short_tmp / "go")})
    for number, successor in enumerate((None, release), start=2):
        await wait_until(lambda runs=number - 1: len(fleet.lines("started")) == runs and fleet.lines("item 1"))
        heir = await fleet.worker(release=successor)
        dying.send(signal.SIGKILL)
        await wait_until(lambda runs=number: len(fleet.lines("started")) == runs, seconds=15)
        dying = heir
    (short_tmp / "go").touch()

    ended = await fleet.ended(job.id)
    assert (ended.status, ended.rescues) == (Status.COMPLETED, 2)
    assert (len(fleet.lines("item 0")), len(fleet.lines("item 1"))) == (1, 1)
    assert b'"mood":"calm"' in await fleet.client.get(f"job:{job.id}"), "the next release wrote the end"
