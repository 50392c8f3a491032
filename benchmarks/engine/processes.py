"""Workers and producers as processes of their own, and what they cost."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

PEERS = Path(__file__).parent / "peers"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Child:
    """A process of a system; it said `ready`, and ends with the block."""

    def __init__(self, python: Path, module: str, role: str, *options: str) -> None:
        self._log = (Path(__file__).parent / ".cache" / "last.log").open("ab")
        command = [str(python), str(PEERS / f"{module}.py"), role, *options]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(PEERS)},
        )
        self.pid = self._process.pid
        self._expect("ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()

    def go(self) -> None:
        """Let a worker start."""
        self._tell("go")

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give a producer an order and wait for its answer."""
        self._tell(json.dumps(order))
        return json.loads(self._line())

    def ask_later(self, **order: Any) -> "Answer":
        """Give an order; the answer is there when it is `done`."""
        self._tell(json.dumps(order))
        return Answer(self._line)

    def kill(self) -> None:
        """SIGKILL the process and the children it made."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def cpu_seconds(self) -> float:
        """User and system time of the process and of the children that it has now."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    def rss_bytes(self) -> int:
        """Resident memory of the process and its children."""
        return sum(_rss(pid) for pid in _family(self.pid))

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _expect(self, word: str) -> None:
        line = self._line()
        if line != word:
            raise RuntimeError(f"{self._process.args!r} said {line!r}, expected {word!r}: see .cache/last.log")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Answer:
    """A line that a process will write."""

    def __init__(self, read: Any) -> None:
        self._read = read
        self._value = ""
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        self._value = self._read()

    @property
    def done(self) -> bool:
        """Whether it has come."""
        return not self._thread.is_alive()

    def value(self) -> dict[str, Any]:
        """Wait for it."""
        self._thread.join()
        return json.loads(self._value)


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        with contextlib.suppress(OSError):
            for children in Path(f"/proc/{member}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
    return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
