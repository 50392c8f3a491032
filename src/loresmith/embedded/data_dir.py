"""The directory that one `loresmith run` keeps its data in, locked against a second one."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_warned: set[Path] = set()

_LEFTOVER_SECONDS = 6.0
"""How long children of a killed run may take to flush their data and let go of the lock."""


class DataDirError(Exception):
    """The data directory cannot be written or belongs to another run; the message names it."""


class DataDir:
    """A directory with an exclusive lock; children that write to it inherit `lock_fd`.

    The lock goes with the last process that holds the descriptor, so it is free only once nothing
    of an earlier run, however it ended, can still write here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_fd: int | None = None

    @property
    def lock_fd(self) -> int:
        """The descriptor that holds the lock."""
        assert self._lock_fd is not None, "the data directory is not open"
        return self._lock_fd

    async def open(self) -> None:
        """Create the directory (mode 0700) where it is missing, and lock it. Raises DataDirError."""
        prepare_data_dir(self.path)
        try:
            fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirError(_not_writable(self.path, error)) from None
        try:
            await self._lock(fd)
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(fd)
            raise
        self._lock_fd = fd

    def close(self) -> None:
        """Let go of the lock; harmless when it is not held."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    async def _lock(self, fd: int) -> None:
        deadline = asyncio.get_running_loop().time() + _LEFTOVER_SECONDS
        while not _try_lock(fd):
            holder = _holder(fd)
            if holder is not None and _is_alive(holder):
                raise DataDirError(
                    f"data directory {str(self.path)!r} is in use by another run (pid {holder}): "
                    "stop it, or set LORESMITH_DATA_DIR to another directory"
                )
            if asyncio.get_running_loop().time() > deadline:
                raise DataDirError(
                    f"data directory {str(self.path)!r} is still held by a child of an earlier run: "
                    "stop the 'valkey-server' that uses it"
                )
            await asyncio.sleep(0.02)


def prepare_data_dir(path: Path) -> None:
    """Create `path` (mode 0700) where it is missing. Raises DataDirError if it cannot be written."""
    if path.parts[:1] and path.parts[0].startswith("~"):
        raise DataDirError("this user has no home directory: set LORESMITH_DATA_DIR to a directory of your own")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise DataDirError(_not_writable(path, error)) from None
    warn_of_others(path)


def warn_of_others(folder: Path) -> None:
    """Write a line to the log, once, where other users of this machine may enter a directory with our data."""
    mode = mode_for_others(folder)
    if mode and folder not in _warned:
        _warned.add(folder)
        _log.warning("other users may enter a directory with data: chmod 700", directory=str(folder), mode=mode)


def mode_for_others(folder: Path) -> str:
    """Return the mode of a directory, such as `755`, if it gives others than its owner any right; else ''."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return ""
    return f"{mode:o}" if mode & 0o077 else ""


def open_private(path: str, flags: int) -> int:
    """Open a file as `open` does by its `opener`; one that is made is its owner's alone from its first byte."""
    return os.open(path, flags, 0o600)


def _not_writable(path: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return (
        f"data directory {str(path)!r} cannot be written ({reason}): set LORESMITH_DATA_DIR to a directory of your own"
    )


def _try_lock(fd: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _holder(fd: int) -> int | None:
    with contextlib.suppress(ValueError):
        return int(os.pread(fd, 20, 0))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
