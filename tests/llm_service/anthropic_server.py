"""Answers of a scripted server in Anthropic's Messages protocol; the server itself is that of the OpenAI tests."""

from __future__ import annotations

import json
from typing import Any

from tests.llm_service.openai_server import Answer, Exchange


async def event(exchange: Exchange, kind: str, **data: Any) -> None:
    """One event of the stream."""
    await exchange.send(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n")


async def begin(exchange: Exchange, block: dict[str, Any] | None = None) -> None:
    """The head of an answer: what was read, and the start of its first block."""
    await exchange.head()
    usage = {"input_tokens": 11, "output_tokens": 1}
    message: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "model": exchange.body["model"]}
    message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    await event(exchange, "message_start", message=message)
    await event(exchange, "content_block_start", index=0, content_block=block or {"type": "text", "text": ""})


async def end(exchange: Exchange, stop: str = "end_turn", tokens: int = 7) -> None:
    """The tail of an answer: why it ended, and what was written."""
    await event(exchange, "content_block_stop", index=0)
    delta = {"stop_reason": stop, "stop_sequence": None}
    await event(exchange, "message_delta", delta=delta, usage={"output_tokens": tokens})
    await event(exchange, "message_stop")


def says(text: str, *, stop: str = "end_turn", tokens: int = 7) -> Answer:
    """Streams `text`: as the input of the tool that must be called, if there is one."""

    async def answer(exchange: Exchange) -> None:
        tools: list[dict[str, Any]] = exchange.body.get("tools") or []
        await begin(exchange, _call(tools[0]["name"]) if tools else None)
        for start in range(0, len(text), 5):
            piece = text[start : start + 5]
            delta = {"type": "input_json_delta", "partial_json": piece} if tools else _text(piece)
            await event(exchange, "content_block_delta", index=0, delta=delta)
        await end(exchange, "tool_use" if tools and stop == "end_turn" else stop, tokens)

    return answer


def fails(status: str, kind: str, message: str = "no", **headers: str) -> Answer:
    """Answers with an error of HTTP."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head(status, kind="application/json", **headers)
        await exchange.send(json.dumps({"type": "error", "error": {"type": kind, "message": message}}))

    return answer


async def refuses(exchange: Exchange) -> None:
    """Ends the answer as the safety classifiers do."""
    await begin(exchange)
    await end(exchange, "refusal", 1)


async def overloads(exchange: Exchange) -> None:
    """Reports an error inside a stream that began well."""
    await begin(exchange)
    await event(exchange, "error", error={"type": "overloaded_error", "message": "Overloaded"})


async def goes_silent(exchange: Exchange) -> None:
    """Begins an object, then says nothing until the client leaves."""
    await begin(exchange)
    await event(exchange, "content_block_delta", index=0, delta=_text('{"name":"Ka'))
    await exchange.disconnected.wait()


async def breaks_off(exchange: Exchange) -> None:
    """Begins an object, then ends as if that were all."""
    await begin(exchange)
    await event(exchange, "content_block_delta", index=0, delta=_text('{"name":"Ka'))


async def babbles(exchange: Exchange) -> None:
    """Sends what is no event of the protocol."""
    await exchange.head()
    await exchange.send("event: message_start\ndata: {not json\n\n")


def _text(piece: str) -> dict[str, str]:
    return {"type": "text_delta", "text": piece}


def _call(tool: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": "call-1", "name": tool, "input": {}}
