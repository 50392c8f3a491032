"""Jobs as a server sends them, for tests that script one."""

from __future__ import annotations

from typing import Any

import httpx2
import orjson

ID = "00000000-0000-0000-0000-000000000001"


def job(seq: int = 1, **fields: Any) -> dict[str, Any]:
    """A job; with a `status` that is an end, it is one."""
    status = fields.get("status", "processing")
    done = status in ("completed", "failed")
    return {
        "id": ID,
        "type": "play",
        "status": status,
        "state": "running",
        "done": done,
        "seq": seq,
        "progress": 100 if status == "completed" else 20,
        "message": "Writing...",
        "result": None,
        "created_at": "2026-11-24T12:00:00Z",
        "poll_after_ms": 3000,
        "items": [],
        **fields,
    }


def change(seq: int, **fields: Any) -> dict[str, Any]:
    """A job as the events `status` and `progress` have it."""
    document = job(seq, **fields)
    del document["items"]
    return document


def event(name: str, data: Any, seq: int | None = None) -> bytes:
    """An event as the server writes it."""
    line = b"" if seq is None else b"id: %d\n" % seq
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), line, orjson.dumps(data))


def stream(*events: bytes) -> httpx2.Response:
    """A stream of events that then ends."""
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=b"".join(events))


def answer(document: dict[str, Any], status: int = 200, **headers: str) -> httpx2.Response:
    """A job, or whatever else."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, headers=named, json=document)


def problem(status: int, code: str, *, retryable: bool = False, **headers: str) -> httpx2.Response:
    """A refusal."""
    body = {"type": "x", "title": "No", "status": status, "detail": "not now", "code": code, "retryable": retryable}
    body |= {"request_id": "r1", "errors": [{"pointer": "/payload/count", "code": "int", "detail": "wrong"}]}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(
        status, headers={"Content-Type": "application/problem+json", **named}, content=orjson.dumps(body)
    )
