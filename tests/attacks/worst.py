"""The worst that an owner may ask for on each route, within the limits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from loresmith.api.routes.submit import MOST_BATCH_BYTES
from loresmith.api.submission import MOST_JOBS
from tests.attacks.costs import Ask


@dataclass(frozen=True)
class Stock:
    """What the owner has by then."""

    job_ids: Sequence[str]
    world_id: str


def jobs_of(count: int, about: str) -> bytes:
    """Return a batch of jobs."""
    one = {"type": "write_verses", "payload": {"about": "rain", "words": {"text": about}}, "tags": ["a", "b"]}
    return json.dumps({"jobs": [one] * count}).encode()


def members(count: int, value: str = "1") -> bytes:
    """Return the inside of an object with so many keys."""
    return ",".join(f'"k{number}":{value}' for number in range(count)).encode()


def worst(stock: Stock) -> dict[str, Ask]:
    """Return a request for each route, and several for those that take a body."""
    first, many = stock.job_ids[0], ",".join(stock.job_ids[:100])
    prose = "It is long, it is \\u00e9 and it has commas, quotes and more. " * 290
    full = jobs_of(MOST_JOBS, prose)
    assert len(full) <= MOST_BATCH_BYTES
    return {
        "GET /me": Ask("GET", "/me"),
        "GET /job-types": Ask("GET", "/job-types"),
        "GET /openapi.json": Ask("GET", "/openapi.json"),
        "GET /docs": Ask("GET", "/docs"),
        "GET /": Ask("GET", "/"),
        "GET /healthz": Ask("GET", "/healthz"),
        "GET /readyz": Ask("GET", "/readyz"),
        "GET /stats": Ask("GET", "/stats"),
        "GET /jobs/{id}": Ask("GET", f"/jobs/{first}?include=payload"),
        "GET /jobs/{id}/events": Ask("GET", f"/jobs/{first}/events", hangs_up=True),
        "GET /jobs/{id}/webhooks": Ask("GET", f"/jobs/{first}/webhooks"),
        "GET /jobs, a page of 100": Ask("GET", "/jobs?limit=100"),
        "GET /jobs, a filter that fits none": Ask("GET", "/jobs?limit=100&tag=nothing&status=pending"),
        "GET /jobs?ids=, 100 of them": Ask("GET", f"/jobs?ids={many}"),
        "GET /worlds, a page": Ask("GET", "/worlds?limit=100"),
        "GET /worlds/{id}, of 1 MB": Ask("GET", f"/worlds/{stock.world_id}"),
        "POST /jobs, 256 KB": Ask("POST", "/jobs", _submit(b'"words":{"t":"' + b"x" * 250_000 + b'"}')),
        "POST /jobs, 3,900 unknown fields": Ask("POST", "/jobs", _submit(members(3_900))),
        "POST /jobs, 3,900 wrong values": Ask("POST", "/jobs", _play(b"1.0," * 3_900 + b"1.0")),
        "POST /jobs, 40,000 values": Ask("POST", "/jobs", _submit(members(40_000 // 2))),
        "POST /jobs, 250 KB of brackets": Ask("POST", "/jobs", b'{"a":' + b"[" * 250_000),
        "POST /jobs/batch, 100 jobs": Ask("POST", "/jobs/batch", jobs_of(MOST_JOBS, "short")),
        "POST /jobs/batch, 100 jobs, 2 MB": Ask("POST", "/jobs/batch", full),
        "POST /jobs/batch, 100 jobs, 2 MB, key": Ask("POST", "/jobs/batch", full, {"Idempotency-Key": "one"}),
        "POST /jobs/batch, 100 wrong jobs": Ask("POST", "/jobs/batch", b'{"jobs":[' + b"{}," * 99 + b"{}]}"),
        "POST /jobs/batch, 180,000 unknown fields": Ask("POST", "/jobs/batch", b"{" + members(180_000) + b"}"),
        "POST /jobs/batch, 2 MB of a string": Ask("POST", "/jobs/batch", b'{"jobs":"' + b"\\\\" * 1_000_000 + b'"}'),
        "POST /jobs/{id}/tokens": Ask("POST", f"/jobs/{first}/tokens", b'{"scope":"cancel"}'),
        "POST /jobs/{id}/retry": Ask("POST", f"/jobs/{first}/retry"),
        "POST /jobs/{id}/cancel": Ask("POST", f"/jobs/{first}/cancel"),
    }


def _submit(more: bytes) -> bytes:
    return b'{"type":"write_verses","payload":{"about":"rain",' + more + b"}}"


def _play(steps: bytes) -> bytes:
    return b'{"type":"play","payload":{"steps":[' + steps + b"]}}"
