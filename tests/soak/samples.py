"""What is looked at every ten seconds: memory, files and threads of processes, memory and keys of Redis."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psutil
from redis.exceptions import ResponseError

from tests.chaos.evidence import QUEUE
from tests.soak.stage import Stage

SECONDS: Final = 10.0
_IDS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32,64}\b|\{[^{}]*\}")
_KEPT: Final = ("idempotency:", "jobs:", "profile:", "pace:")
"""Keys that grow with the jobs of a day, or up to a bound of their own, by design."""
_SAMPLED: Final = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures of one moment, by name; `ended` counts the jobs that had ended by then."""

    at: float
    ended: int
    figures: dict[str, float]


@dataclass(slots=True)
class Sampler:
    """Looks at everything until `stop`. `ended` tells how many jobs have ended by now."""

    stage: Stage
    ended: Callable[[], int]
    samples: list[Sample] = field(default_factory=list[Sample])
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Look no more after the look that is under way: none is cut in the middle of a command."""
        self._stopping.set()

    async def run(self) -> None:
        """Look every ten seconds."""
        client = self.stage.redis_client()
        try:
            due = time.monotonic()
            while not self._stopping.is_set():
                self.samples.append(Sample(time.monotonic(), self.ended(), await self._look(client)))
                due = max(due + SECONDS, time.monotonic())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), due - time.monotonic())
        finally:
            await client.aclose()

    async def _look(self, client: Any) -> dict[str, float]:
        figures: dict[str, float] = {}
        for name, child in self.stage.lasting.items():
            process = psutil.Process(child.pid)
            with process.oneshot():
                figures[f"RSS of the {name}, MB"] = process.memory_info().rss / 1e6
                figures[f"open files of the {name}"] = process.num_fds()
                figures[f"threads of the {name}"] = process.num_threads()
        return figures | await _queue(client) | await _keys(client)


async def _queue(client: Any) -> dict[str, float]:
    entries = pending = readers = 0
    for stream in QUEUE.streams:
        entries += await client.xlen(stream)
        with suppress(ResponseError):  # before the first claim there is no group, before the first job no stream
            for group in await client.xinfo_groups(stream):
                pending += group["pending"]
                readers += group["consumers"]
    return {
        "jobs in flight": await client.zcard(QUEUE.open),
        "jobs with a worker (pending entries)": pending,
        "entries of the queue": entries,
        "consumers of the queue": readers,
        "entries of the stream of ended jobs": await client.xlen(QUEUE.ended),
    }


async def _keys(client: Any) -> dict[str, float]:
    families, grown = Counter[str](), dict[str, list[str]]()
    async for key in client.scan_iter(count=1000):
        name = key.decode()
        families[family_of(name)] += 1
        for start in _KEPT:
            if name.startswith(start):
                grown.setdefault(start, []).append(name)
    kept = sum([await _bytes(client, names) for names in grown.values()])
    used = float((await client.info("memory"))["used_memory"])
    clients = float((await client.info("clients"))["connected_clients"])
    jobs = {name: float(count) for name, count in sorted(families.items()) if "job:" in name}
    by_design = sum(count for name, count in families.items() if name.startswith(_KEPT))
    return {
        "Redis memory, MB": used / 1e6,
        "of it indexes, idempotency keys, profiles, MB": kept / 1e6,
        "Redis memory without these, MB": (used - kept) / 1e6,
        "connections to Redis": clients,
        **{f"keys {name}": count for name, count in jobs.items()},
        "keys of indexes, idempotency, profiles": float(by_design),
        "all other keys": families.total() - by_design - sum(jobs.values()),
    }


async def _bytes(client: Any, names: list[str]) -> float:
    """The memory of keys of one family, from some of them where there are many."""
    some = names[:: max(1, len(names) // _SAMPLED)]
    sizes = [await client.memory_usage(name, samples=0 if len(names) < _SAMPLED else 5) or 0 for name in some]
    return sum(sizes) / len(sizes) * len(names)


def family_of(key: str) -> str:
    """The name of a key with ids left out: `{job:…}:items`."""
    return _IDS.sub(lambda found: "{job:…}" if found[0].startswith("{job:") else "…", key)
