"""Runs one command and stops it when the process that asked for it is gone, however it went.

Run as `python -I -S guard.py GRACE_SECONDS COMMAND…` (standard library only); the caller holds the
write end of stdin. End of file there is what a dead parent looks like: the command gets SIGTERM, and
SIGKILL after the grace. SIGTERM to the guard does the same. On Linux the command is also told when
the guard itself is killed. The guard exits as the command did (128 + n for signal n).
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Start the command, wait for its end or for the wish to end it; returns the exit code."""
    grace_seconds, command = float(sys.argv[1]), sys.argv[2:]
    os.umask(0o077)
    wake, wake_writer = os.pipe()
    for end in (wake, wake_writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, _noted)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=_death_notice(),  # noqa: PLW1509 - this process has no other thread
    )
    _wait_for_end_or_wish(child, wake)
    _stop(child, wake, grace_seconds)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wait_for_end_or_wish(child: subprocess.Popen[bytes], wake: int) -> None:
    while child.poll() is None:
        ready, _, _ = select.select([0, wake], [], [])
        if 0 in ready and not os.read(0, 4096):
            return
        if wake in ready and set(os.read(wake, 4096)) - {int(signal.SIGCHLD)}:
            return


def _stop(child: subprocess.Popen[bytes], wake: int, grace_seconds: float) -> None:
    deadline = time.monotonic() + grace_seconds
    if child.poll() is None:
        child.terminate()
    while child.poll() is None:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            child.kill()
            child.wait()
        elif select.select([wake], [], [], remaining)[0]:
            os.read(wake, 4096)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """A handler is needed for the signal to reach the wake-up pipe; that is all it does."""


def _death_notice() -> Callable[[], object] | None:
    """What the child does before exec: ask Linux for SIGTERM when the guard dies."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
