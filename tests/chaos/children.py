"""Processes that are killed, frozen and started again: the Redis of the loop, its workers, its submitter."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from loresmith.embedded.redis import find_server
from tests.waiting import wait_until

_PR_SET_PDEATHSIG: Final = 1
ROOT: Final = Path(__file__).resolve().parents[2]


class Child:
    """A place for one process at a time; `command` is asked for each start."""

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Callable[[], Sequence[str]],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path = ROOT,
    ) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        """Held by a fault for as long as it has the process in hand."""
        self.log = folder / f"{name}.log"
        self._command = command
        self._environment = environment
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process of now."""
        assert self._process
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether there is a process now."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process; it dies with this one, whatever happens."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env=self._environment,
                preexec_fn=_death_notice(),
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is gone."""
        with suppress(ProcessLookupError):
            if self._process and self.is_running:
                os.kill(self._process.pid, number)

    async def ended(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return await self._process.wait() if self._process else 0

    async def kill(self) -> None:
        """Kill the process with SIGKILL and wait for its end."""
        self.signal(signal.SIGKILL)
        await self.ended()


class RedisChild(Child):
    """A Valkey on a unix socket with an append-only file that keeps every write since the beginning."""

    def __init__(self, folder: Path, *, fsync: str) -> None:
        self.socket = folder / "redis.sock"
        self.append_only = folder / "appendonlydir"
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--dir": str(folder),
            "--save": "",
            "--appendonly": "yes",
            "--appendfsync": fsync,
            "--aof-timestamp-enabled": "yes",
            "--auto-aof-rewrite-percentage": "0",  # the checks read the whole history
            "--maxmemory-policy": "noeviction",
        }
        command = [str(find_server()), *(word for option in options.items() for word in option)]
        super().__init__("redis", folder, lambda: command)

    async def answers(self) -> bool:
        """Tell whether the server takes commands."""
        try:
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_unix_connection(self.socket)
                writer.write(b"PING\r\n")
                reply = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return reply.startswith(b"+PONG")

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        await super().start()
        await wait_until(self.answers, seconds=60.0)


def python_child(name: str, folder: Path, arguments: Callable[[], Sequence[str]]) -> Child:
    """Return a place for `python -m tests.chaos.<module>`, the module being the name up to a dash."""
    module = f"tests.chaos.{name.partition('-')[0]}"
    return Child(name, folder, lambda: [sys.executable, "-m", module, *arguments()])


def _death_notice() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
