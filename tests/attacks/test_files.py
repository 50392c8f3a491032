"""Attacks on files: another user of the machine reads what a data directory holds that lets everybody in."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
import structlog

from loresmith.cli import checkup
from loresmith.cli.database import opened
from loresmith.db import Database, Keys, SqliteFile
from loresmith.db.schema import migrate
from loresmith.embedded.data_dir import DataDir
from loresmith.embedded.model import EmbeddedModel
from loresmith.embedded.redis import EmbeddedRedis
from loresmith.settings import load_settings

STRANGER = 65534
_READ = """
import os, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
for name in sys.argv[2:]:
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.open(name, flags)
            print(name)
        except PermissionError:
            pass
"""


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that everybody may enter and read, in a process that leaves all rights to new files."""
    folder = Path(tempfile.mkdtemp(prefix="loresmith-attack-"))
    folder.chmod(0o755)
    before = os.umask(0)
    for name in [name for name in os.environ if name.startswith("LORESMITH_")]:
        monkeypatch.delenv(name)
    yield folder
    os.umask(before)
    shutil.rmtree(folder)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def rights_of_others(paths: list[Path]) -> dict[str, str]:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}
    return {name: f"{mode:o}" for name, mode in modes.items() if mode & 0o077}


def read_by_a_stranger(paths: list[Path]) -> list[str]:
    words = [sys.executable, "-I", "-S", "-c", _READ, str(STRANGER), *map(str, paths)]
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd="/").stdout.split()


async def filled(file: Path) -> Database:
    await migrate(SqliteFile(file))
    database = Database(SqliteFile(file))
    await Keys(database).create("anna")
    return database


async def test_database_and_journals_are_private_in_an_open_directory(open_folder: Path) -> None:
    database = await filled(open_folder / "elsewhere.sqlite3")
    names = {path.name for path in files_in(open_folder)}
    assert names == {"elsewhere.sqlite3", "elsewhere.sqlite3-wal", "elsewhere.sqlite3-shm"}
    assert rights_of_others(files_in(open_folder)) == {}
    await database.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_reads_no_file_of_the_database(open_folder: Path) -> None:
    database = await filled(open_folder / "loresmith.sqlite3")
    (open_folder / "public").touch(0o644)
    assert read_by_a_stranger(files_in(open_folder)) == [str(open_folder / "public")], "the way there is open"
    await database.close()


async def test_a_database_is_private_before_its_first_byte(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, seen = open_folder / "loresmith.sqlite3", list[tuple[int, int]]()
    connect: Any = aiosqlite.connect

    def looked(*args: Any, **options: Any) -> Any:
        found = file.stat()
        seen.append((stat.S_IMODE(found.st_mode), found.st_size))
        return connect(*args, **options)

    monkeypatch.setattr(aiosqlite, "connect", looked)
    await migrate(SqliteFile(file))
    assert seen[0] == (0o600, 0)


async def test_a_database_that_others_could_read_is_closed_to_them(open_folder: Path) -> None:
    file = open_folder / "loresmith.sqlite3"
    await (await filled(file)).close()
    file.chmod(0o664)
    file.with_name(f"{file.name}-wal").touch(0o666)
    database = Database(SqliteFile(file))
    await Keys(database).list()
    assert rights_of_others(files_in(open_folder)) == {}
    await database.close()


async def test_files_of_redis_are_private_in_an_open_directory(open_folder: Path) -> None:
    data_dir = DataDir(open_folder / ("d" * 60) / ("e" * 60))  # so long that the socket is elsewhere
    data_dir.path.mkdir(parents=True, mode=0o755)
    await data_dir.open()
    server = EmbeddedRedis(data_dir)
    await server.start()
    try:
        names = {path.name for path in files_in(data_dir.path)}
        assert names >= {"lock", "redis.log", "redis.sock.path"}
        assert any(name.endswith(".aof") for name in names)
        assert rights_of_others(files_in(data_dir.path)) == {}
        assert not stat.S_IMODE(server.socket_path.stat().st_mode) & 0o077
    finally:
        await server.stop()
        data_dir.close()


def test_the_log_of_the_model_is_private(open_folder: Path) -> None:
    with EmbeddedModel(open_folder / "model.log")._opened_log():
        assert rights_of_others(files_in(open_folder)) == {}


@pytest.mark.parametrize("place", ["data directory", "file elsewhere"])
async def test_a_directory_that_others_may_enter_is_one_warning(place: str, open_folder: Path) -> None:
    url = None if place == "data directory" else f"sqlite:///{open_folder}/elsewhere.sqlite3"
    data_dir = open_folder if url is None else open_folder / "private"
    settings = load_settings(data_dir=data_dir, database_url=url)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            async with opened(settings):
                pass
    warnings = [log for log in logs if log["log_level"] == "warning"]
    assert [(log["directory"], log["mode"]) for log in warnings] == [(str(open_folder), "755")]


def test_the_doctor_names_a_directory_that_others_may_enter(open_folder: Path) -> None:
    found = checkup.look_at_disk(open_folder, needed=True)
    assert found.level is not checkup.Level.OK
    assert "others may enter it (mode 755)" in found.found
    open_folder.chmod(0o700)
    assert "others" not in checkup.look_at_disk(open_folder, needed=True).found
