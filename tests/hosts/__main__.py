"""Hosts of one's own: `python -m tests.hosts [--short]`; exit code 1: a promise was broken, 77: no rights for it."""

import argparse
import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tests.hosts.rights import ISOLATION, refused

NO_RIGHTS: Final = 77
_DEATH_SIGNAL: Final = 1


def main() -> int:
    """Run inside namespaces of its own; whatever ends this process, nothing of them is left."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer hosts, two faults, within a minute")
    parser.add_argument("--keep", action="store_true", help="keep logs and ledgers also when all is well")
    options = parser.parse_args()
    if (reason := refused()) is not None:
        sys.stdout.write(f"not run: {reason}\n")
        return NO_RIGHTS
    folder = Path(tempfile.mkdtemp(prefix="hosts-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    code = -1
    try:
        code = _run([*ISOLATION, sys.executable, "-m", "tests.hosts.inside", str(folder), *_words(options)])
    finally:
        if code == 1 or options.keep:
            sys.stdout.write(f"logs and ledgers: {folder}\n")
        else:
            shutil.rmtree(folder)
    return code


def _words(options: argparse.Namespace) -> Sequence[str]:
    return ["--short"] if options.short else []


def _run(command: Sequence[str]) -> int:
    """Run to its end; a signal to this process ends all that the command has started."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_together)  # noqa: PLW1509 - one thread

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        return child.wait()
    finally:
        child.kill()
        child.wait()


def _die_together() -> None:
    libc: Any = ctypes.CDLL(None)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
