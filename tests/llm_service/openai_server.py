"""A scripted server that speaks OpenAI's chat protocol on loopback, for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tests.providers.rules.paths import Check, check_for
from tests.providers.rules.schemas import Refusal

Answer = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request and the connection that its answer goes to."""

    def __init__(self, path: str, body: dict[str, Any], headers: dict[str, str], out: asyncio.StreamWriter):
        self.path = path
        self.body = body
        self.headers = headers
        self.asked_again = asyncio.Event()
        self.disconnected = asyncio.Event()
        self._out = out

    async def send(self, text: str) -> None:
        self._out.write(text.encode())
        with suppress(ConnectionError):
            await self._out.drain()

    async def head(self, status: str = "200 OK", kind: str = "text/event-stream", **more: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
        await self.send("\r\n".join(lines) + "\r\n\r\n")

    async def chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": self.body["model"]}
        await self.send(f"data: {json.dumps({**data, 'choices': [choice], **more})}\n\n")


class OpenAIServer:
    """Answers one request after the other by the given script; the last answer is repeated.

    A request whose schema the real provider does not take is refused as that does: see tests/providers/rules.
    """

    def __init__(self, check: Check | None = None) -> None:
        self.answers: list[Answer] = []
        self.refused: list[Refusal] = []
        self._check = check
        self.exchanges: list[Exchange] = []
        self.asked = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def request_number(self, count: int) -> Exchange:
        """The `count`-th request, once it came."""
        async with self.asked:
            await self.asked.wait_for(lambda: len(self.exchanges) >= count)
        return self.exchanges[count - 1]

    def _refusal(self, exchange: Exchange) -> Answer | None:
        check = self._check or check_for(exchange.path)
        refusal = check(exchange.body)
        if refusal is None:
            return None
        self.refused.append(refusal)
        return says_no(refusal)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            exchange = await _read(reader, writer)
            async with self.asked:
                self.exchanges.append(exchange)
                self.asked.notify_all()
            answer = self._refusal(exchange) or self.answers[min(len(self.exchanges), len(self.answers)) - 1]
            watch = asyncio.create_task(_watch(reader, exchange))
            await answer(exchange)
            watch.cancel()
        writer.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    return Exchange(head.split(" ", 2)[1], json.loads(body), headers, writer)


async def _watch(reader: asyncio.StreamReader, exchange: Exchange) -> None:
    with suppress(ConnectionError):
        if await reader.read(1):
            exchange.asked_again.set()
        await reader.read()
    exchange.disconnected.set()


def says_no(refusal: Refusal) -> Answer:
    """Refuses a request as the rules say."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", kind="application/json")
        await exchange.send(json.dumps(refusal.body))

    return answer


def says(text: str, *, finish: str = "stop", tokens: int = 7) -> Answer:
    """Streams `text` in pieces of five characters, then the usage."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head()
        for start in range(0, len(text), 5):
            await exchange.chunk({"content": text[start : start + 5]})
        usage = {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": 11 + tokens}
        await exchange.chunk({}, finish=finish, usage=usage)
        await exchange.send("data: [DONE]\n\n")

    return answer


def keeps_the_connection_until_it_is_asked_again(text: str) -> Answer:
    """Says `text` with the offer of another request on the same connection, which it then closes."""

    async def answer(exchange: Exchange) -> None:
        delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": exchange.body["model"], **delta}
        body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
        await exchange.send(head + body)
        ends = [asyncio.create_task(end.wait()) for end in (exchange.asked_again, exchange.disconnected)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()

    return answer


def fails(status: str, error: dict[str, Any] | None = None, **headers: str) -> Answer:
    """Answers with an error of HTTP."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head(status, kind="application/json", **headers)
        await exchange.send(json.dumps({"error": error or {"message": "no", "type": "t"}}))

    return answer


async def goes_silent(exchange: Exchange) -> None:
    """Begins an object, then says nothing until the client leaves."""
    await exchange.head()
    await exchange.chunk({"content": '{"name":"Ka'})
    await exchange.disconnected.wait()


async def breaks_off(exchange: Exchange) -> None:
    """Begins an object, then ends as if that were all."""
    await exchange.head()
    await exchange.chunk({"content": '{"name":"Ka'})


async def refuses(exchange: Exchange) -> None:
    """Refuses in the way of OpenAI's structured outputs."""
    await exchange.head()
    await exchange.chunk({"refusal": "I cannot help with that."})
    await exchange.chunk({}, finish="stop")
    await exchange.send("data: [DONE]\n\n")


async def babbles(exchange: Exchange) -> None:
    """Sends what is no event of the protocol."""
    await exchange.head()
    await exchange.send("data: {not json\n\n")
