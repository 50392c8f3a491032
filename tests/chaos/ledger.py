"""What happened, written outside Redis: one SQLite file a process, so that a frozen one holds no lock of another."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

_SCHEMA = "CREATE TABLE IF NOT EXISTS events (at REAL, kind TEXT, job TEXT, run INTEGER, facts BLOB)"
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the ledger; `at` is the machine's monotonic clock in seconds, the same for all processes."""

    at: float
    kind: str
    job: str = ""
    run: int = 0
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


class Ledger:
    """Appends events; each is on its way to the disk, and safe from kill -9, when `note` returns."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=OFF")  # processes are killed here, not the machine
        self._file.execute(_SCHEMA)

    def note(self, kind: str, job: str = "", run: int = 0, **facts: Any) -> None:
        """Append an event of now."""
        self._file.execute(_INSERT, (time.monotonic(), kind, job, run, msgspec.json.encode(facts)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_ledgers(folder: Path) -> list[Event]:
    """Return all events of all processes in the order of time."""
    return sorted((event for path in folder.glob("*.ledger") for event in _read(path)), key=lambda event: event.at)


def _read(path: Path) -> Iterator[Event]:
    file = sqlite3.connect(path)
    try:
        if file.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():  # else killed at its start
            for at, kind, job, run, facts in file.execute("SELECT at, kind, job, run, facts FROM events"):
                yield Event(at, kind, job, run, msgspec.json.decode(facts))
    finally:
        file.close()
