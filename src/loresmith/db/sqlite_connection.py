"""Connections to a SQLite file, each with a thread of its own that ends with it."""

import asyncio
import contextlib
import os
import stat
from pathlib import Path

import aiosqlite


async def connect(path: Path, *, busy_seconds: float) -> aiosqlite.Connection:
    """Return a connection that waits for a lock for so long, and begins no transaction by itself."""
    keep_private(path)
    connection = aiosqlite.connect(path, timeout=busy_seconds, isolation_level=None)
    thread = connection._thread  # noqa: SLF001 - as SQLAlchemy does where it connects itself
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        # It still has a word to say to this event loop: one that is closed by then makes it fail with a trace.
        await asyncio.to_thread(thread.join)
        raise


def keep_private(path: Path) -> None:
    """Make a file that its owner alone may read, before SQLite opens it; take others their rights to one that exists.

    SQLite gives its journals (`-wal`, `-shm`, `-journal`) the mode of the file. A path that is wrong is left to SQLite,
    whose error is the one that is known elsewhere.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        file = f"{path}{suffix}"
        with contextlib.suppress(OSError):  # not there, or another user's
            mode = os.stat(file).st_mode  # noqa: PTH116 - a path with something appended
            if stat.S_ISREG(mode) and mode & 0o077:
                os.chmod(file, stat.S_IMODE(mode) & ~0o077)  # noqa: PTH101 - the same
