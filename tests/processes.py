"""Looking at real processes from outside."""

from __future__ import annotations

import psutil


def gone(process: psutil.Process) -> bool:
    """Whether the process has ended; one that only waits for its parent to look counts as ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
