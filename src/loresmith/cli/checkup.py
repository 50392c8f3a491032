"""Findings of the doctor, and what it looks at that is neither a store nor a model: the API, clocks, the disk."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from loresmith.embedded.data_dir import mode_for_others

PATIENCE_SECONDS = 5.0
_CLOCK_NOTE_SECONDS, _CLOCK_WRONG_SECONDS = 1.5, 10.0
_COARSE_SECONDS = 2.0
_DISK_NOTE_BYTES, _DISK_WRONG_BYTES = 2 * 1024**3, 256 * 1024**2


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and no reason to do anything now."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look has shown, and what to do about it."""

    name: str
    level: Level
    found: str
    advice: str = ""


async def look_at_api(url: str | None, key: str | None, *, named: bool) -> tuple[list[Finding], float | None]:
    """Ask the server how it is; returns also how far its clock is ahead of ours.

    `named` tells whether somebody said that it is there.
    """
    from loresmith.client import AsyncJobsClient, ClientError, UnavailableError, UnexpectedAnswerError, calls

    try:
        client = AsyncJobsClient(url, key, timeout_seconds=PATIENCE_SECONDS, retries=0)
    except ValueError as error:
        return [Finding("api", Level.WRONG, str(error), "set LORESMITH_URL or --url")], None
    async with client:
        place, ahead = client.base_url, None
        try:
            asked = time.time()
            health = await client.call(calls.health())
            ahead = _ahead(health.told_at, asked, time.time())
            await client.call(calls.ready())
        except UnavailableError as error:
            return [Finding("api", Level.WRONG, f"{place} lives and cannot serve: {error}", "see below")], ahead
        except UnexpectedAnswerError as error:
            found = f"something else answers at {place}: {error}"
            return [Finding("api", Level.WRONG, found, "set LORESMITH_PORT, or correct LORESMITH_URL")], None
        except ClientError as error:
            if named:
                return [Finding("api", Level.WRONG, str(error), "start it, or correct LORESMITH_URL")], None
            return [Finding("api", Level.NOTE, f"not running at {place}", "start it with `loresmith run`")], None
    return [Finding("api", Level.OK, f"{place} is ready, version {health.version}")], ahead


def _ahead(told: datetime | None, asked: float, answered: float) -> float | None:
    """Return how far a clock is ahead that told its time between two moments, in whole seconds up to a second old."""
    if told is None:
        return None
    least, most = told.timestamp() - answered, told.timestamp() + _COARSE_SECONDS - asked
    return max(0.0, least) + min(0.0, most)


def look_at_clocks(ahead_seconds: Mapping[str, float | None]) -> Finding:
    """Compare this machine's clock with the others that are there."""
    ahead = {name: seconds for name, seconds in ahead_seconds.items() if seconds is not None}
    if not ahead:
        return Finding("clock", Level.NOTE, "nothing to compare it with: neither the API nor redis answers")
    place, worst = max(ahead.items(), key=lambda pair: abs(pair[1]))
    if abs(worst) < _CLOCK_NOTE_SECONDS:
        return Finding("clock", Level.OK, f"the same as that of {' and '.join(ahead)}")
    found = f"{abs(worst):.1f} s {'behind' if worst > 0 else 'ahead of'} that of {place}"
    level = Level.WRONG if abs(worst) >= _CLOCK_WRONG_SECONDS else Level.NOTE
    return Finding("clock", level, found, "let both machines keep time by NTP")


def look_at_disk(data_dir: Path, *, needed: bool) -> Finding:
    """Look whether the data directory can be written, and how much room is left there."""
    if not needed:
        return Finding("disk", Level.OK, "nothing is kept on this machine")
    if data_dir.parts[0].startswith("~"):
        advice = "set LORESMITH_DATA_DIR to a directory of your own"
        return Finding("disk", Level.WRONG, "this user has no home directory", advice)
    there = data_dir
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        advice = "set LORESMITH_DATA_DIR to a directory of your own"
        return Finding("disk", Level.WRONG, f"{data_dir} cannot be written", advice)
    free = shutil.disk_usage(there).free
    mode = mode_for_others(data_dir)
    found = f"{free / 1024**3:.1f} GB free in {data_dir}" + ("" if data_dir.exists() else " (not made yet)")
    found += f"; others may enter it (mode {mode})" if mode else ""
    if free < _DISK_NOTE_BYTES:
        level = Level.WRONG if free < _DISK_WRONG_BYTES else Level.NOTE
        return Finding("disk", level, found, "make room, or set LORESMITH_DATA_DIR to another disk")
    if mode:
        return Finding("disk", Level.NOTE, found, f"chmod 700 {data_dir}")
    return Finding("disk", Level.OK, found)
