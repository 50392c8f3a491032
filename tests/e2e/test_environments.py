"""Commands in environments that are not a developer's: no home, no name, another locale, closed or cut streams."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import FAKE, START_SECONDS, free_port, loresmith
from tests.troubleshooting.conftest import answering, http_answer
from tests.waiting import wait_until

_NAMELESS = """
import pwd, sys
def getpwuid(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = getpwuid
sys.argv[0] = "loresmith"
from loresmith.cli import main
main()
"""
"""Runs a command as a user without a name would: a real one may not read the Python that runs the tests."""
_ASCII: dict[str, Any] = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def bare(**variables: str) -> dict[str, str]:
    """An environment without a home or settings."""
    dropped = ("HOME", "XDG_DATA_HOME", "USER", "LOGNAME", "PYTHONIOENCODING", "LC_ALL")
    kept = {n: v for n, v in os.environ.items() if n not in dropped and not n.startswith("LORESMITH_")}
    return {**kept, **variables}


async def ran(
    *words: str, folder: Path, nameless: bool = False, shell: str = "", **variables: str
) -> tuple[int | None, str, str]:
    """Run a command to its end; with `shell`, as part of such a line."""
    command = [sys.executable, "-c", _NAMELESS, *words] if nameless else [loresmith(), *words]
    if shell:
        command = ["sh", "-c", shell, "sh", *command]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=bare(**variables),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(START_SECONDS):
        out, errors = await process.communicate()
    assert b"Traceback" not in out + errors, errors.decode()
    return process.returncode, out.decode("ascii" if "PYTHONIOENCODING" in variables else "utf-8"), errors.decode()


async def test_a_user_without_home_and_name_is_asked_for_a_directory(short_tmp: Path) -> None:
    code, _, errors = await ran("run", folder=short_tmp, nameless=True, LORESMITH_PORT="0", LORESMITH_MODEL=FAKE)
    assert errors == "loresmith: this user has no home directory: set LORESMITH_DATA_DIR to a directory of your own\n"
    assert code == 1


async def test_the_doctor_works_without_home_and_name(short_tmp: Path) -> None:
    _, out, errors = await ran("doctor", folder=short_tmp, nameless=True, LORESMITH_MODEL=FAKE, **_ASCII)
    assert "this user has no home directory: set LORESMITH_DATA_DIR" in " ".join(out.split()), errors


@pytest.mark.parametrize("model", [FAKE, "gguf:{folder}/model.gguf"])
async def test_a_lore_service_needs_neither_home_nor_name(short_tmp: Path, model: str) -> None:
    words = ("lore",)
    settings = {"LORESMITH_LORE_LISTEN": "127.0.0.1:0", "LORESMITH_MODEL": model.format(folder=short_tmp)}
    if model != FAKE:  # gets as far as the model itself, past the directory for its log
        code, _, errors = await ran(*words, folder=short_tmp, nameless=True, **settings)
        assert (code, "model.gguf' not found" in errors) == (1, True), errors
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _NAMELESS, *words),
        env=bare(**settings, **_ASCII),
        cwd=short_tmp,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(START_SECONDS):
        line = (await process.stderr.readline()).decode()
    process.terminate()
    assert b"Traceback" not in await process.stderr.read()
    assert await process.wait() == 0
    assert json.loads(line)["event"] == "lore service started"


async def test_text_of_any_language_is_printed_in_any_locale(short_tmp: Path) -> None:
    name = "Gr\u00fcn \u2026 \u795e\u8a71"
    body = {"object": "list", "data": [{"id": "x", "title": name, "theme": name, "created_at": "2026-01-01T00:00:00Z"}]}
    async with answering(lambda _: http_answer("200 OK", json.dumps({**body, "next_cursor": None}))) as port:
        url = {"LORESMITH_URL": f"http://127.0.0.1:{port}"}
        code, out, errors = await ran("worlds", "--json", folder=short_tmp, **url, **_ASCII)
    assert code == 0, errors
    assert name in json.dumps(json.loads(out), ensure_ascii=False)


async def test_help_is_printed_in_any_locale(short_tmp: Path) -> None:
    code, out, _ = await ran("--help", folder=short_tmp, **_ASCII)
    assert code == 0
    assert "submit" in out


async def test_words_of_a_command_are_utf8_in_any_locale(short_tmp: Path) -> None:
    code, _, errors = await ran(
        "keys", "create", "J\u00f6rg", folder=short_tmp, LORESMITH_DATA_DIR=str(short_tmp), **_ASCII
    )
    assert code == 0, errors
    assert "J\\xf6rg" in errors


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ('"$@" >&-', (0, "")),
        ('"$@" <&- >&- 2>&-', (0, "")),
        ('"$@" > /dev/full', (1, "loresmith: cannot write: no space left on device\n")),
        ('{ "$@"; echo $? >&2; } | true', (0, "141\n")),
    ],
)
async def test_output_that_nobody_takes_leaves_no_trace(short_tmp: Path, shell: str, expected: tuple[int, str]) -> None:
    code, _, errors = await ran("--version", folder=short_tmp, shell=shell)
    assert (code, errors) == expected


async def test_a_server_goes_on_when_the_reader_of_its_output_has_gone(short_tmp: Path) -> None:
    port = free_port()
    settings = {"DATA_DIR": str(short_tmp / "data"), "MODEL": FAKE, "PORT": str(port)}
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        *(loresmith(), "run"),
        env=bare(**{f"LORESMITH_{name}": value for name, value in settings.items()}),
        cwd=short_tmp,
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)
    try:
        await wait_until(lambda: _answers(port), seconds=START_SECONDS)
    finally:
        process.terminate()
        _, errors = await process.communicate()
    assert (process.returncode, b"Traceback" in errors) == (0, False), errors.decode()


async def _answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head = await reader.read(64)
        writer.close()
        await writer.wait_closed()
    except OSError:
        return False
    return b" 200 " in head
