"""Runs `loresmith` in children of a process that has loaded it: a start of its own takes seconds of a processor.

Each line of standard input, JSON, is a child to run; its exit code is written back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from loresmith.cli import lore, main, parts, whole

_LOADED = (lore, parts, whole)
"""What commands load when they need it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    errors: str


class Loaded:
    """The process; made once for many tests."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "tests.e2e.loaded"]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def run(self, *words: str, environment: dict[str, str], directory: Path) -> Ended:
        """Run a command to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            errors = Path(folder, "errors")
            order = {"words": words, "environment": environment, "directory": str(directory), "errors": str(errors)}
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            return Ended(int(self._process.stdout.readline()), errors.read_text())

    def close(self) -> None:
        """End it, and a child that still runs."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def _is_child() -> bool:
    """Fork a child for each order; returns whether this is one."""
    assert psutil.Process().num_threads() == 1, "a process with threads must not be forked"
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(line))
            return True
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return False


def _become(words: list[str], environment: dict[str, str], directory: str, errors: str) -> None:
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    sys.argv = ["loresmith", *words]


if __name__ == "__main__" and _is_child():
    main()
