"""What servers of OpenAI's protocol do with the text of an answer: the plays of the zoo."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any

from tests.llm_service.openai_server import Exchange, fails
from tests.providers.servers import chat_says

Play = Callable[[Exchange, str], Awaitable[None]]


async def stream(exchange: Exchange, *contents: Any, finish: str | None = "stop", usage: Any = None) -> None:
    """A stream of these pieces of content."""
    await exchange.head()
    for content in contents:
        await exchange.chunk({"content": content})
    if finish is not None:
        await exchange.chunk({}, finish=finish, **({"usage": usage} if usage else {}))
        await exchange.send("data: [DONE]\n\n")


def around(before: str, after: str = "", *, size: int = 0) -> Play:
    """Text around the object, in one piece or in pieces of `size` characters."""

    async def play(exchange: Exchange, text: str) -> None:
        whole = before + text + after
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)] if size else [whole]
        await stream(exchange, *pieces)

    return play


def field(name: str, *, also_object: bool = False) -> Play:
    """Thoughts in a field of their own; with `also_object` the object is among them, and the content is empty."""

    async def play(exchange: Exchange, text: str) -> None:
        await exchange.head()
        await exchange.chunk({name: 'I want {a JSON object like {"name": "…"}}. ' + (text if also_object else "")})
        if not also_object:
            await exchange.chunk({"content": text})
        await exchange.chunk({}, finish="stop")
        await exchange.send("data: [DONE]\n\n")

    return play


def refused(status: str, error: object, **headers: str) -> Play:
    """An error of HTTP with a body of its own form."""

    async def play(exchange: Exchange, _: str) -> None:
        await exchange.head(status, kind="application/json", **headers)
        await exchange.send(json.dumps(error))

    return play


def modes(refusal: Play, *refuses: str) -> Play:
    """A server that refuses some ways of asking for an object."""

    async def play(exchange: Exchange, text: str) -> None:
        if way(exchange.body) in refuses:
            await refusal(exchange, text)
        else:
            await chat_says(text)(exchange)

    return play


def way(body: Any) -> str:
    """The way in which a request asks for an object."""
    if body.get("tools"):
        return "tool"
    asked: dict[str, Any] = body.get("response_format") or {}
    return str(asked.get("type", "words"))


def usages(*each: Any) -> Play:
    """A stream whose chunks have these usages."""

    async def play(exchange: Exchange, text: str) -> None:
        await exchange.head()
        size = len(text) // len(each) + 1
        for number, usage in enumerate(each):
            piece = text[number * size : (number + 1) * size]
            await exchange.chunk({"content": piece}, **({} if usage is ... else {"usage": usage}))
        await exchange.chunk({}, finish="stop")
        await exchange.send("data: [DONE]\n\n")

    return play


def used(read: int, written: int) -> dict[str, int]:
    """A usage as OpenAI writes it."""
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def frames(*before: str) -> Play:
    """Frames of a stream that are no chunks, then the object."""

    async def play(exchange: Exchange, text: str) -> None:
        await exchange.head()
        await exchange.chunk({"role": "assistant"})
        for frame in before:
            await exchange.send(frame)
        await exchange.chunk({"content": text}, finish="stop")
        await exchange.send("data: [DONE]\n\n")

    return play


async def no_finish(exchange: Exchange, text: str) -> None:
    """The object, then the end of the stream."""
    await stream(exchange, text, finish=None)


async def half_and_end(exchange: Exchange, text: str) -> None:
    """Half of an object, then the end of the stream."""
    await stream(exchange, text[: len(text) // 2], finish=None)


async def cut_by_length(exchange: Exchange, text: str) -> None:
    """Half of an object, at the limit of tokens."""
    await stream(exchange, text[: len(text) // 2], finish="length")


async def thoughts_to_the_limit(exchange: Exchange, _: str) -> None:
    """Thoughts up to the limit of tokens."""
    await exchange.head()
    await exchange.chunk({"reasoning_content": "Let me think about this. " * 20})
    await exchange.chunk({}, finish="length")
    await exchange.send("data: [DONE]\n\n")


async def whole_at_the_limit(exchange: Exchange, text: str) -> None:
    """A whole object, though the limit of tokens was reached."""
    await stream(exchange, text, finish="length")


def whole(change: Callable[[dict[str, Any]], dict[str, Any]] = lambda one: one, kind: str = "application/json") -> Play:
    """One JSON completion, whatever was asked for."""

    async def play(exchange: Exchange, text: str) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        completion = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        await exchange.head(kind=kind)
        await exchange.send(json.dumps(change({**completion, "usage": used(11, 7)})))

    return play


async def page(exchange: Exchange, _: str) -> None:
    """A page for people, as at an address without `/v1`."""
    await exchange.head(kind="text/html")
    await exchange.send("<!doctype html><title>Chat</title>")


async def reset_after_object(exchange: Exchange, text: str) -> None:
    """The object, then a connection that breaks in the middle of a chunk."""
    await exchange.head(Transfer_Encoding="chunked")
    delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    data = (
        f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm', **delta})}\n\n"
    )
    await exchange.send(f"{len(data.encode()):x}\r\n{data}\r\n40\r\ndata:")


async def prose_then_fence(exchange: Exchange, text: str) -> None:
    """Prose with braces, an example, a fence with the object, and a remark."""
    await stream(
        exchange,
        'Here it is, in the {name, role} form (see {"a": 1}):\n\n',
        f"```json\n{text}\n```\n",
        'I left {"note": "out"} aside.',
    )


async def draft_then_object(exchange: Exchange, text: str) -> None:
    """A first object that does not fit, then the one that does."""
    await stream(exchange, '{"draft": true}\n\nBetter:\n', text)


async def list_content(exchange: Exchange, text: str) -> None:
    """Content as a list of parts."""
    await stream(exchange, [{"type": "text", "text": text}])


async def null_choices(exchange: Exchange, text: str) -> None:
    """A first chunk whose choices are null, and one whose delta is."""
    await exchange.head()
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    await exchange.send(f"data: {json.dumps({**chunk, 'choices': None})}\n\n")
    await exchange.send(f"data: {json.dumps({**chunk, 'choices': [{'index': 0, 'delta': None}]})}\n\n")
    await exchange.chunk({"content": text}, finish="stop")
    await exchange.send("data: [DONE]\n\n")


async def no_done(exchange: Exchange, text: str) -> None:
    """A finish reason, and no mark of the end."""
    await exchange.head()
    await exchange.chunk({"content": text}, finish="stop")


async def byte_by_byte(exchange: Exchange, text: str) -> None:
    """One character in each chunk."""
    await stream(exchange, *text)


async def filtered(exchange: Exchange, text: str) -> None:
    """Half of an object, then the filter of the provider."""
    await stream(exchange, text[: len(text) // 2], finish="content_filter")


async def calls_a_tool(exchange: Exchange, text: str) -> None:
    """A call of a tool, though text was asked for."""
    await exchange.head()
    function = {"name": "item", "arguments": text}
    await exchange.chunk({"tool_calls": [{"index": 0, "id": "1", "type": "function", "function": function}]})
    await exchange.chunk({}, finish="tool_calls")
    await exchange.send("data: [DONE]\n\n")


def slow_down(**headers: str) -> Play:
    """Too many requests."""

    async def play(exchange: Exchange, _: str) -> None:
        await fails("429 Too Many Requests", {"message": "slow", "type": "rate_limit"}, **headers)(exchange)

    return play


async def in_an_hour(exchange: Exchange, text: str) -> None:
    """A Unix time in the header."""
    await slow_down(Retry_After=str(int(time.time()) + 3600))(exchange, text)


async def yesterday(exchange: Exchange, text: str) -> None:
    """A date in the past in the header."""
    await slow_down(Retry_After=formatdate(time.time() - 86_400, usegmt=True))(exchange, text)


DEEPSEEK = refused(
    "400 Bad Request",
    {"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}},
)
LM_STUDIO = refused("400 Bad Request", {"error": "'response_format.type' must be 'json_schema' or 'text'"})
UNPROCESSABLE = refused("422 Unprocessable Entity", {"error": {"message": "response_format.type: unknown variant"}})
NO_TOOLS = refused("400 Bad Request", {"error": {"message": "registry.ollama.ai/m does not support tools"}})
