"""A reader of server-sent events as a careful client is one: raw bytes in, the state of a job out, resumable."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True)
class Told:
    """An event as it came."""

    name: str
    data: Any
    id: str | None


@dataclass
class Parser:
    """Splits bytes into events (WHATWG HTML, 9.2.6); what an interrupted stream leaves half told does not count."""

    rest: bytes = b""
    comments: int = 0

    def feed(self, data: bytes) -> list[Told]:
        """Return the events that are whole by now."""
        *blocks, self.rest = (self.rest + data).split(b"\n\n")
        return [told for block in blocks if (told := self._event(block)) is not None]

    def _event(self, block: bytes) -> Told | None:
        fields: dict[str, str] = {}
        for line in block.split(b"\n"):
            name, _, value = line.decode().partition(":")
            self.comments += not name
            fields[name] = value.removeprefix(" ")
        return Told(fields["event"], orjson.loads(fields["data"]), fields.get("id")) if "data" in fields else None


@dataclass
class State:
    """What a client knows of a job, from events alone."""

    job: dict[str, Any] = field(default_factory=dict[str, Any])
    items: dict[int, Any] = field(default_factory=dict[int, Any])
    last_id: str | None = None
    seqs: list[int] = field(default_factory=list[int])
    doubled: list[int] = field(default_factory=list[int])

    def take(self, told: Told) -> None:
        """Take an event in, as the manual says that it is to be taken."""
        match told.name:
            case "snapshot" | "done":
                self.job = told.data
                items: list[Any] = told.data["result"] or told.data["items"]
                self.items = dict(enumerate(items))
            case "item":
                index = told.data["index"]
                self.doubled += [index] if index in self.items else []
                self.items[index] = told.data["value"]
            case _:
                self.job = {**self.job, **told.data}
        if told.id is not None:
            self.last_id = told.id
            self.seqs.append(int(told.id))


@dataclass
class Answer:
    """The head of an answer, and its body as it comes."""

    status: int
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the chunks of a chunked body."""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]

    async def events(self, parser: Parser | None = None) -> AsyncIterator[Told]:
        """Yield events until the server ends the stream."""
        parser = parser or Parser()
        async for chunk in self.body():
            for told in parser.feed(chunk):
                yield told

    def close(self) -> None:
        """Go away without a word."""
        self.writer.transport.abort()


async def _connected(address: tuple[str, int]) -> socket.socket:
    """Connect with a small receive buffer: who does not read is soon waited for."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    await asyncio.get_running_loop().sock_connect(sock, address)
    return sock


async def get(address: tuple[str, int], path: str, **headers: str) -> Answer:
    """Send a GET on a connection of its own."""
    reader, writer = await asyncio.open_connection(sock=await _connected(address))
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return Answer(int(head[0].split()[1]), fields, reader, writer)


async def follow(address: tuple[str, int], job_id: str, state: State, until: Callable[[Told], bool]) -> Answer:
    """Open a stream where a client left off, and take events in until one of them is the one."""
    resume = {} if state.last_id is None else {"Last-Event-ID": state.last_id}
    answer = await get(address, f"/jobs/{job_id}/events", **resume)
    if answer.status == 200:
        async for told in answer.events():
            state.take(told)
            if until(told):
                break
    answer.close()
    return answer


async def whole_stream(address: tuple[str, int], job_id: str, go: asyncio.Event) -> bytes:
    """Return every byte of a job's stream; `go` is set once the job is followed."""
    answer, whole = await get(address, f"/jobs/{job_id}/events"), b""
    async for chunk in answer.body():
        whole += chunk
        go.set()
    answer.close()
    return whole
