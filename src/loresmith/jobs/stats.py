"""Figures of a queue: how deep it is, who works on it, how fast jobs go through it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec

from loresmith.jobs import keys
from loresmith.jobs.census import Census, Depth
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.registry import JobRegistry
from loresmith.jobs.types import Status, ms_of
from loresmith.jobs.view import pairs_of
from loresmith.telemetry.queue_metrics import QueueCounts

SAMPLE: Final = 500
"""The jobs that ended last, from which the pace is counted."""
_WINDOW_SECONDS: Final = 300
_FRESH_SECONDS: Final = 1.0


class _Ended(msgspec.Struct):
    """What the document of an ended job says of its pace."""

    type: str
    status: Status
    created_at: str
    done: bool = False
    run_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None


_ended: Final = msgspec.json.Decoder(_Ended).decode


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds: the median and the 95th percentile; None where there is nothing to count."""

    p50: float | None = None
    p95: float | None = None


@dataclass(slots=True)
class TypeFigures:
    """How jobs of one type that ended of late fared: numbers, seconds of running, seconds of waiting."""

    completed: int = 0
    failed: int = 0
    run_seconds: Spread = field(default_factory=Spread)
    wait_seconds: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """What a worker says of itself."""

    id: str
    host: str
    concurrency: int
    running: int
    started_at: str
    seen_at: str
    types: Sequence[str] | None
    """Job types that it knows; None for one of an older release, which does not say."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it. `per_minute` is over the last 5 minutes, or over the last jobs when there were more."""

    queue: str
    depth: Depth
    workers: Sequence[WorkerFigures]
    per_minute: float
    types: Mapping[str, TypeFigures]
    unknown_types: Sequence[str]
    """Job types that are taken here and that no running worker knows; empty where no worker runs at all."""


class Stats:
    """Counts at most once a second, however many ask."""

    def __init__(self, pipeline: Pipeline, census: Census, registry: JobRegistry) -> None:
        self._pipeline = pipeline
        self._registry = registry
        self._census = census
        self._counted: tuple[float, Figures] | None = None

    async def figures(self) -> Figures:
        """Return the figures, a second old at the most."""
        if self._counted is not None and time.monotonic() - self._counted[0] < _FRESH_SECONDS:
            return self._counted[1]
        figures = await self._count()
        self._counted = (time.monotonic(), figures)
        return figures

    async def counts(self) -> QueueCounts:
        """Return what a look at the queue and its workers shows, without the jobs that ended."""
        depth, workers = await asyncio.gather(self._census.depth(1), self._workers())
        return QueueCounts(
            queue=self._census.keys.name,
            waiting={"high": depth.high, "normal": depth.normal, "low": depth.low},
            oldest_waiting_seconds=depth.oldest_waiting_seconds,
            running=depth.running,
            scheduled=depth.scheduled,
            open=depth.open,
            paused=depth.paused,
            workers=len(workers),
            worker_slots=sum(worker.concurrency for worker in workers),
            unknown_types=self._unknown_types(workers),
        )

    async def _count(self) -> Figures:
        depth, workers = await asyncio.gather(self._census.depth(SAMPLE), self._workers())
        asked = [self._pipeline.command("GET", keys.document(job_id)) for _, job_id in depth.ended]
        ended = [_ended(document) for document in await asyncio.gather(*asked) if document is not None]
        unknown = self._unknown_types(workers)
        return Figures(self._census.keys.name, depth, workers, _per_minute(depth), _by_type(ended), unknown)

    def _unknown_types(self, workers: Sequence[WorkerFigures]) -> list[str]:
        if not workers or any(worker.types is None for worker in workers):
            return []
        known = {name for worker in workers for name in worker.types or ()}
        return sorted({kind.name for kind in self._registry} - known)

    async def _workers(self) -> list[WorkerFigures]:
        names: list[bytes] = await self._pipeline.command("ZRANGE", keys.WORKERS, 0, -1)
        asked = [self._pipeline.command("HGETALL", keys.worker(name.decode())) for name in names]
        found = [_texts(facts) for facts in await asyncio.gather(*asked)]
        mine = self._census.keys.name
        return [
            WorkerFigures(
                name.decode(),
                facts["host"],
                int(facts["concurrency"]),
                int(facts["running"]),
                facts["started_at"],
                facts["seen_at"],
                facts["types"].split(",") if "types" in facts else None,
            )
            for name, facts in zip(names, found, strict=True)
            if facts and facts["queue"] == mine
        ]


def _texts(facts: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in pairs_of(cast("Sequence[bytes]", facts))}


def _per_minute(depth: Depth) -> float:
    """Return how many jobs ended a minute: those of the window, or, when the sample is shorter, over its time."""
    times = [at for at, _ in depth.ended]
    since = depth.now_ms - _WINDOW_SECONDS * 1000
    if len(times) == SAMPLE:
        since = max(since, times[-1])
    span_ms = max(1, depth.now_ms - since)
    return round(sum(at >= since for at in times) * 60_000 / span_ms, 1)


def _by_type(ended: Sequence[_Ended]) -> dict[str, TypeFigures]:
    figures: dict[str, TypeFigures] = {}
    for name in sorted({one.type for one in ended}):
        mine = [one for one in ended if one.type == name and one.done]
        ran = [one for one in mine if one.status is Status.COMPLETED]
        figures[name] = TypeFigures(
            completed=len(ran),
            failed=len(mine) - len(ran),
            run_seconds=_spread([_between(one.started_at, one.completed_at) for one in ran]),
            wait_seconds=_spread([_waited(one) for one in mine if one.started_at]),
        )
    return figures


def _waited(one: _Ended) -> float:
    return _between(one.run_at or one.created_at, one.started_at)


def _between(start: str | None, end: str | None) -> float:
    return (ms_of(end) - ms_of(start)) / 1000 if start and end else 0.0


def _spread(seconds: list[float]) -> Spread:
    if not seconds:
        return Spread()
    seconds.sort()
    return Spread(seconds[len(seconds) // 2], seconds[min(len(seconds) - 1, len(seconds) * 95 // 100)])
