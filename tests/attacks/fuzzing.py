"""Made-up requests within the limits of an owner, valid and not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.attacks.costs import Ask
from tests.attacks.worst import Stock

_LEAVES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**15,
    10**30,
    1e308,
    1.0,
    "",
    "x",
    "é" * 50,
    "\u2028",
    "\\" * 40,
    '"' * 40,
)
_QUERIES = (
    "limit=100",
    "limit=100&tag=a",
    "status=failed&limit=100",
    "created_after=2020-01-01T00:00:00Z",
    "type=nothing",
    "cursor=MTox",
    "state=queued&tag=b&limit=1",
    "limit=" + "9" * 2_000,
    "tag=" + "%" * 3_000,
)


def asks(stock: Stock, count: int) -> Iterator[Ask]:
    """Yield requests; `SEED` in the environment makes up others."""
    random = Random(os.environ.get("SEED", "costs"))
    for _ in range(count):
        yield random.choice((_submit, _submit, _batch, _read, _broken))(random, stock)


def _submit(random: Random, _: Stock) -> Ask:
    return Ask("POST", "/jobs", _cut(random, json.dumps(_job(random)).encode(), 256 * 1024))


def _batch(random: Random, _: Stock) -> Ask:
    size = random.choice((1, 10, 100, 101))
    body: dict[str, Any] = {"jobs": [_job(random, weight=size) for _ in range(size)]}
    if random.random() < 0.2:
        body |= {f"unknown{number}": number for number in range(random.choice((1, 100, 10_000, 50_000)))}
    return Ask("POST", "/jobs/batch", _cut(random, json.dumps(body).encode(), 2 * 1024 * 1024))


def _read(random: Random, stock: Stock) -> Ask:
    one = random.choice(stock.job_ids)
    many = ",".join(random.choices(stock.job_ids, k=random.choice((1, 50, 100, 101))))
    paths = (
        f"/jobs/{one}",
        f"/jobs/{one}?include=payload",
        f"/jobs/{one}/webhooks",
        f"/jobs?ids={many}",
        f"/jobs?{random.choice(_QUERIES)}",
        "/worlds?limit=100",
        f"/worlds/{stock.world_id}",
        "/job-types",
        "/stats",
        "/" + "a/" * random.choice((1, 1_000, 10_000)),
    )
    headers = {"If-None-Match": ",".join(f'"{n}"' for n in range(random.choice((1, 1_000)))), "Prefer": "a," * 2_000}
    return Ask("GET", random.choice(paths), headers=headers if random.random() < 0.3 else {})


def _broken(random: Random, stock: Stock) -> Ask:
    """Text that is almost JSON, over and over."""
    piece = random.choice((b"[", b'{"a":', b'"', b"\\", b'\\"', b",", b"1,", b'"a":1,', b"\xff", b"-", b"1e9", b"\n"))
    path, most = random.choice((("/jobs", 256 * 1024), ("/jobs/batch", 2 * 1024 * 1024)))
    begin = random.choice((b"", b"{", b'{"jobs":[', b'{"type":"'))
    return Ask("POST", path, (begin + piece * (most // len(piece)))[:most])


def _job(random: Random, weight: int = 1) -> dict[str, Any]:
    job: dict[str, Any] = {
        "type": random.choice(("write_verses", "play", "create_world", "generate_characters", "x" * 1_000)),
        "payload": {"about": "rain", "words": {"any": _value(random, 4)}},
    }
    size = random.choice((0, 0, 5, 2_000, 40_000)) // weight
    if random.random() < 0.5:
        target = job if random.random() < 0.5 else job["payload"]
        target |= {f"k{number}": random.choice(_LEAVES) for number in range(size)}
    else:
        job["payload"]["steps"] = [random.choice(_LEAVES) for _ in range(size)]
    if random.random() < 0.3:
        job |= {"tags": ["t"] * random.choice((1, 10, 5_000 // weight)), "metadata": {"m": "x" * (6_000 // weight)}}
    return job


def _value(random: Random, depth: int) -> Any:
    if depth == 0 or random.random() < 0.3:
        return random.choice(_LEAVES)
    parts = [_value(random, depth - 1) for _ in range(random.randint(0, 6))]
    return parts if random.random() < 0.5 else {f"k{place}": part for place, part in enumerate(parts)}


def _cut(random: Random, body: bytes, most: int) -> bytes:
    return body[: random.randrange(len(body))] if random.random() < 0.1 else body[:most]
