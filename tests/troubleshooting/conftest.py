"""A row of the table under test: what it quotes must have been seen, and what it says to type must have been typed."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from loresmith.cli.app import run_command
from loresmith.llm_service.access import Access
from loresmith.llm_service.provider import find_provider
from loresmith.llm_service.route import Route
from loresmith.llm_service.server import LoreServer
from tests.e2e.conftest import FAKE, Run, environment, start
from tests.troubleshooting.table import Line, rows, shown_in
from tests.waiting import wait_until

__all__ = ["start"]
"""A fixture of the tests of whole processes."""


@dataclass
class Row:
    """What a test shows of its row."""

    line: Line
    data_dir: Path
    capture: pytest.CaptureFixture[str]
    seen: list[str] = field(default_factory=list[str])
    typed: list[str] = field(default_factory=list[str])
    codes: list[int] = field(default_factory=list[int])

    def saw(self, text: str) -> str:
        """Note what the product has printed or answered."""
        self.seen.append(text)
        return text

    async def loresmith(self, *words: str, **settings: str) -> str:
        """Type a command, with these settings; returns what it printed on both streams."""
        self.typed.append(" ".join(("loresmith", *words)))
        text, code = await typed(self.capture, self.data_dir, words, settings)
        self.codes.append(code)
        return self.saw(text)

    async def until_told(self, told: str, *words: str, **settings: str) -> None:
        """Type a command again and again until it prints this."""

        async def is_told() -> bool:
            return shown_in(told, await self.loresmith(*words, **settings))

        await wait_until(is_told, seconds=40)

    async def get(self, run: Run, path: str, **headers: str) -> httpx2.Response:
        """Ask the API as curl would."""
        self.typed.append(f"curl localhost:8080{path}")
        answer = await run.http.get(path, headers=headers, timeout=60.0)
        self.saw(answer.text)
        return answer

    def judge(self) -> None:
        """Compare it with the table."""
        unseen = [one for one in self.line.messages if not any(shown_in(one, text) for text in self.seen)]
        assert unseen == [], "quoted, and not printed; printed was:\n" + "\n---\n".join(self.seen)
        untyped = [one for one in self.line.commands if not any(_is_typed(one, each) for each in self.typed)]
        assert untyped == [], f"to be typed, and not tried: {self.typed}"


def _is_typed(command: str, words: str) -> bool:
    """Whether a command of the table was typed; words in capitals stand for others."""
    wanted = re.sub(r"\b[A-Z]{2,}\b", r"\\S+", re.escape(command).replace("\\ ", " "))
    return re.fullmatch(wanted, words) is not None


async def typed(
    capture: pytest.CaptureFixture[str], data_dir: Path, words: tuple[str, ...], settings: dict[str, str]
) -> tuple[str, int]:
    """Run a command of the command line as its process would, in a thread of this one."""
    before = {name: value for name, value in os.environ.items() if name.startswith("LORESMITH_")}
    capture.readouterr()
    try:
        os.environ.update(environment(data_dir, **settings), COLUMNS="80", NO_COLOR="1")
        code = await asyncio.to_thread(run_command, list(words))
    finally:
        for name in [name for name in os.environ if name.startswith("LORESMITH_")]:
            del os.environ[name]
        os.environ.update(before)
    captured = capture.readouterr()
    return captured.out + captured.err, code


@pytest.fixture
def row(
    request: pytest.FixtureRequest, short_tmp: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Row:
    """The row that a test is named after: `test_port_taken` is about the row `port-taken`."""
    monkeypatch.chdir(short_tmp)
    key = request.node.name.removeprefix("test_").replace("_", "-")
    return Row(rows()[key], short_tmp / "data", capsys)


@asynccontextmanager
async def answering(answer: Callable[[str], bytes], port: int = 0) -> AsyncGenerator[int]:
    """A server that gives one answer for each request, made from its head; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.write(answer(head))
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        yield server.sockets[0].getsockname()[1]


def http_answer(status: str, body: str, kind: str = "application/json", more: str = "") -> bytes:
    """An answer of HTTP/1.1 after which the connection is closed."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body.encode())}\r\nConnection: close\r\n"
    return f"{head}{more}\r\n{body}".encode()


Lore = Callable[..., Awaitable[LoreServer]]


@pytest.fixture
async def lore() -> AsyncIterator[Lore]:
    """Starts a lore service with the scripted model at an address."""
    servers: list[LoreServer] = []

    async def start(address: str, token: str | None = None, model: str = FAKE) -> LoreServer:
        server = LoreServer(Route([find_provider(model)]), Access(token))
        await server.start(address)
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop(0.0)
