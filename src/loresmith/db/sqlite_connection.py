"""Connections to a SQLite file, each with a thread of its own that ends with it."""

import asyncio
from pathlib import Path

import aiosqlite


async def connect(path: Path, *, busy_seconds: float) -> aiosqlite.Connection:
    """Return a connection that waits for a lock for so long, and begins no transaction by itself."""
    connection = aiosqlite.connect(path, timeout=busy_seconds, isolation_level=None)
    thread = connection._thread  # noqa: SLF001 - as SQLAlchemy does where it connects itself
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        # It still has a word to say to this event loop: one that is closed by then makes it fail with a trace.
        await asyncio.to_thread(thread.join)
        raise
