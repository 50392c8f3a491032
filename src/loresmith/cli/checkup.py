"""Findings of the doctor, and what it looks at that is neither a store nor a model: the API, clocks, the disk."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loresmith.client.models import Health

PATIENCE_SECONDS = 5.0
_CLOCK_NOTE_SECONDS, _CLOCK_WRONG_SECONDS = 1.5, 10.0
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


async def look_at_api(url: str | None, key: str | None, *, named: bool) -> tuple[list[Finding], Health | None]:
    """Ask the server how it is; `named` tells whether somebody said that it is there."""
    from loresmith.client import AsyncJobsClient, ClientError, UnavailableError, calls

    try:
        client = AsyncJobsClient(url, key, timeout_seconds=PATIENCE_SECONDS, retries=0)
    except ValueError as error:
        return [Finding("api", Level.WRONG, str(error), "set LORESMITH_URL or --url")], None
    async with client:
        place, health = client.base_url, None
        try:
            health = await client.call(calls.health())
            await client.call(calls.ready())
        except UnavailableError as error:
            return [Finding("api", Level.WRONG, f"{place} lives and cannot serve: {error}", "see below")], health
        except ClientError as error:
            if named:
                return [Finding("api", Level.WRONG, str(error), "start it, or correct LORESMITH_URL")], None
            return [Finding("api", Level.NOTE, f"not running at {place}", "start it with `loresmith run`")], None
    return [Finding("api", Level.OK, f"{place} is ready, version {health.version}")], health


def look_at_clocks(health: Health | None, redis_ahead_seconds: float | None) -> Finding:
    """Compare this machine's clock with the others that are there."""
    ahead: dict[str, float] = {}
    if health is not None and health.told_at is not None:
        seconds = health.told_at.timestamp() + 0.5 - time.time()  # it is told in whole seconds
        ahead["the API"] = 0.0 if abs(seconds) < 1.0 else seconds
    if redis_ahead_seconds is not None:
        ahead["redis"] = redis_ahead_seconds
    if not ahead:
        return Finding("clock", Level.NOTE, "nothing to compare it with: neither the API nor redis answers")
    place, worst = max(ahead.items(), key=lambda pair: abs(pair[1]))
    found = f"{abs(worst):.1f} s {'behind' if worst > 0 else 'ahead of'} that of {place}"
    if abs(worst) >= _CLOCK_NOTE_SECONDS:
        level = Level.WRONG if abs(worst) >= _CLOCK_WRONG_SECONDS else Level.NOTE
        return Finding("clock", level, found, "let both machines keep time by NTP")
    return Finding("clock", Level.OK, f"the same as that of {' and '.join(ahead)}")


def look_at_disk(data_dir: Path) -> Finding:
    """Look whether the data directory can be written, and how much room is left there."""
    there = data_dir
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        advice = "set LORESMITH_DATA_DIR to a directory of your own"
        return Finding("disk", Level.WRONG, f"{data_dir} cannot be written", advice)
    free = shutil.disk_usage(there).free
    found = f"{free / 1024**3:.1f} GB free in {data_dir}" + ("" if data_dir.exists() else " (not made yet)")
    if free < _DISK_NOTE_BYTES:
        level = Level.WRONG if free < _DISK_WRONG_BYTES else Level.NOTE
        return Finding("disk", level, found, "make room, or set LORESMITH_DATA_DIR to another disk")
    return Finding("disk", Level.OK, found)
