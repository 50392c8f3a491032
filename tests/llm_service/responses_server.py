"""Answers of a scripted server in OpenAI's Responses protocol; the server itself is that of the chat tests."""

from __future__ import annotations

import json
from typing import Any

from tests.llm_service.openai_server import Answer, Exchange

_ITEM = {"item_id": "i", "output_index": 0, "content_index": 0}


async def event(exchange: Exchange, kind: str, **data: Any) -> None:
    """One event of the stream."""
    await exchange.send(f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': 1, **data})}\n\n")


def response(exchange: Exchange, status: str, **more: Any) -> dict[str, Any]:
    """The answer as a whole, as it comes with each change of its status."""
    about = {"id": "r", "object": "response", "created_at": 1, "status": status, "model": exchange.body["model"]}
    fixed: dict[str, Any] = {"output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return {**about, **fixed, **more}


async def begin(exchange: Exchange) -> None:
    """The head of an answer."""
    await exchange.head()
    await event(exchange, "response.created", response=response(exchange, "in_progress"))
    message: dict[str, Any] = {"id": "i", "type": "message", "role": "assistant", "status": "in_progress"}
    await event(exchange, "response.output_item.added", output_index=0, item={**message, "content": []})


async def write(exchange: Exchange, piece: str) -> None:
    """A piece of text."""
    await event(exchange, "response.output_text.delta", **_ITEM, delta=piece, logprobs=[])


def says(text: str, *, reason: str | None = None, tokens: int = 7) -> Answer:
    """Streams `text` in pieces of five characters; with a `reason`, the answer is incomplete."""

    async def answer(exchange: Exchange) -> None:
        await begin(exchange)
        for start in range(0, len(text), 5):
            await write(exchange, text[start : start + 5])
        usage = {"input_tokens": 11, "output_tokens": tokens, "total_tokens": 11 + tokens}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        more: dict[str, Any] = {"usage": usage, "incomplete_details": {"reason": reason} if reason else None}
        status = "incomplete" if reason else "completed"
        await event(exchange, f"response.{status}", response=response(exchange, status, **more))

    return answer


async def refuses(exchange: Exchange) -> None:
    """Refuses in the way of structured outputs."""
    await begin(exchange)
    await event(exchange, "response.refusal.delta", **_ITEM, delta="I cannot help with that.")
    await event(exchange, "response.refusal.done", **_ITEM, refusal="I cannot help with that.")
    await event(exchange, "response.completed", response=response(exchange, "completed"))


def breaks(code: str) -> Answer:
    """Fails inside a stream that began well."""

    async def answer(exchange: Exchange) -> None:
        await begin(exchange)
        failed = response(exchange, "failed", error={"code": code, "message": "no"})
        await event(exchange, "response.failed", response=failed)

    return answer


async def goes_silent(exchange: Exchange) -> None:
    """Begins an object, then says nothing until the client leaves."""
    await begin(exchange)
    await write(exchange, '{"name":"Ka')
    await exchange.disconnected.wait()


async def breaks_off(exchange: Exchange) -> None:
    """Begins an object, then ends as if that were all."""
    await begin(exchange)
    await write(exchange, '{"name":"Ka')


async def babbles(exchange: Exchange) -> None:
    """Sends what is no event of the protocol."""
    await exchange.head()
    await exchange.send("event: response.created\ndata: {not json\n\n")
