"""Runs `loresmith`, or a module of the tests, in children of a process that has loaded LoreSmith.

A start of its own takes seconds of a processor.

Each line on the socket, JSON with three descriptors, is a child to run; its process id is written back, and its exit
code to the last of the descriptors.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

import psutil

_LOADED = (
    "loresmith.cli",
    "loresmith.cli.lore",
    "loresmith.cli.parts",
    "loresmith.cli.whole",
    "loresmith.db.schema",
    "loresmith.llm_service.compatible",
)
"""The command line, and what commands load when they need it."""
_READ_AT_START = ("PYTHON", "LC_", "LANG")
"""Prefixes of variables that Python reads once, when it starts."""


class Child:
    """A child, with what tests use of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, out: asyncio.StreamReader, err: asyncio.StreamReader, end: asyncio.StreamReader):
        self.pid = pid
        self.stdout = out
        self.stderr = err
        self._code = asyncio.ensure_future(_read_code(end))

    @property
    def returncode(self) -> int | None:
        """The exit code; None while the child runs."""
        return self._code.result() if self._code.done() else None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait for the end; returns what it wrote and was not read yet."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err


class Loaded:
    """The process; made once for many tests."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        words = [sys.executable, "-m", "tests.loaded", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                words,
                env={**os.environ, "GRPC_VERBOSITY": "ERROR"},  # read when it is loaded; commands set it before
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._variables = _at_start(dict(os.environ))
        self._one_at_a_time = threading.Lock()

    def can_run(self, environment: dict[str, str]) -> bool:
        """Whether a child would be like a new process: Python itself was started with the same variables."""
        return _at_start(environment) == self._variables

    async def run(self, *words: str, environment: dict[str, str] | None = None, directory: Path = Path()) -> Child:
        """Run `loresmith`, or with `-m` first a module, without standard input and in a session of its own."""
        variables = dict(os.environ) if environment is None else environment
        order = json.dumps({"words": words, "environment": variables, "directory": str(directory)})
        pipes = [os.pipe() for _ in range(3)]
        try:
            pid = await asyncio.to_thread(self._send, order.encode() + b"\n", [write for _, write in pipes])
        finally:
            for _, write in pipes:
                os.close(write)
        out, err, end = [await _reader(read) for read, _ in pipes]
        return Child(pid, out, err, end)

    def _send(self, order: bytes, descriptors: list[int]) -> int:
        with self._one_at_a_time:
            sent = socket.send_fds(self._orders, [order], descriptors)
            self._orders.sendall(order[sent:])
            return int(self._orders.recv(32))

    def close(self) -> None:
        """End it, and the children that still run."""
        self._orders.close()
        self._process.wait()


def _at_start(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


async def _read_code(end: asyncio.StreamReader) -> int:
    return int(await end.read())


class _Children:
    """Those that run, on the side of the process that has loaded everything."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._ends: dict[int, int] = {}
        """Process id → where its exit code goes."""

    def serve(self) -> None:
        """Fork a child for each order until the tests are over; returns in a child alone, which then is the command."""
        signal.signal(signal.SIGCHLD, self._reap)
        while order := self._receive():
            words, descriptors = order
            if not self._fork(words, descriptors):
                return
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for pid in self._ends:
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def _receive(self) -> tuple[bytes, list[int]] | None:
        line, descriptors, _, _ = socket.recv_fds(self._orders, 1 << 16, 3)
        while line and not line.endswith(b"\n"):
            line += self._orders.recv(1 << 16)
        return (line, descriptors) if line else None

    def _fork(self, order: bytes, descriptors: list[int]) -> int:
        """Fork; returns the process id in the parent, 0 in the child."""
        assert psutil.Process().num_threads() == 1, "a process with threads must not be forked"
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # until its end has its place
        pid = os.fork()
        if pid:
            self._ends[pid] = descriptors.pop()
            self._orders.send(str(pid).encode())
        else:
            self._orders.close()
            for end in (*self._ends.values(), descriptors.pop()):
                os.close(end)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(*descriptors, **json.loads(order))
        for descriptor in descriptors:
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        return pid

    def _reap(self, number: int, frame: FrameType | None) -> None:
        while self._ends:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with os.fdopen(self._ends.pop(pid), "w") as end:
                end.write(str(os.waitstatus_to_exitcode(status)))


def _become(out: int, err: int, *, words: list[str], environment: dict[str, str], directory: str) -> None:
    os.setsid()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.argv = words


def _run() -> None:
    if sys.argv[0] == "-m":
        _, module, *words = sys.argv
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__")
    else:
        sys.argv.insert(0, "loresmith")
        importlib.import_module("loresmith.cli").main()


if __name__ == "__main__":
    for name in _LOADED:
        importlib.import_module(name)
    gc.freeze()  # what is loaded stays: children need not go over it, which would copy it
    _Children(socket.socket(fileno=int(sys.argv[1]))).serve()
    _run()
