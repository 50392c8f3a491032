"""A soak from start to end: the processes, the clients, the samples, then the drain and the rules."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.chaos.checks import Finding
from tests.chaos.evidence import QUEUE, lengths
from tests.soak.bounds import verdicts
from tests.soak.checks import nothing_grows
from tests.soak.clients import Clients
from tests.soak.evidence import judge
from tests.soak.report import figures, happenings
from tests.soak.samples import Sample, Sampler
from tests.soak.stage import Stage
from tests.waiting import wait_until

_SETTLE_SECONDS: Final = 60.0
_SAY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a soak."""

    findings: list[Finding]
    happened: str
    figures: str


async def run(folder: Path, *, minutes: float, in_flight: int, postgres: bool, say: Callable[[str], None]) -> Outcome:
    """Run for so many minutes, and judge what came of it."""
    began = time.monotonic()
    stage = Stage(folder, postgres=postgres)
    redis = stage.redis_client()
    clients = Clients(stage.url, redis, stage.ledger, in_flight=in_flight, seed="soak")
    sampler = Sampler(stage, lambda: clients.knowledge.known - len(clients.knowledge.open))
    try:
        await stage.open()
        await _load(stage, clients, sampler, minutes * 60.0, say)
        with suppress(TimeoutError):
            await wait_until(lambda: _is_settled(redis), seconds=_SETTLE_SECONDS)
        await stage.stop()
        judged = await judge(stage, folder, clients.knowledge.complaints)
    finally:
        await redis.aclose()
        await stage.close()
    found = verdicts(sampler.samples)
    judged.findings.extend(nothing_grows(found))
    head = f"{minutes:g} minutes, drained after {time.monotonic() - began:.0f} s"
    knowledge = clients.knowledge
    happened = happenings(judged, sampler.samples, streams=clients.streams, looks=knowledge.looks, head=head)
    return Outcome(judged.findings, happened, figures(found))


async def _load(stage: Stage, clients: Clients, sampler: Sampler, seconds: float, say: Callable[[str], None]) -> None:
    """Let the clients act for a time, while one worker is restarted and all is looked at; then drain."""
    acting = asyncio.create_task(clients.run())
    looking = asyncio.create_task(sampler.run())
    beside = [asyncio.create_task(one) for one in (stage.keep_restarting(), _tell(sampler.samples, say))]
    done, _ = await asyncio.wait({acting, looking, *beside}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    sampler.stop()
    for task in beside:
        task.cancel()
    await asyncio.gather(looking, *beside, return_exceptions=True)
    for task in done:
        task.result()
    await stage.make_whole()
    clients.stop()
    await acting


async def _tell(samples: Sequence[Sample], say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(_SAY_SECONDS)
        last = samples[-1]
        shown = ("jobs in flight", "RSS of the worker, MB", "Redis memory, MB")
        say(", ".join([f"{last.ended} jobs ended", *(f"{name}: {last.figures[name]:.0f}" for name in shown)]))


async def _is_settled(redis: Any) -> bool:
    """Whether the queue is empty and each end was handed to all who follow, who have said that they are done."""
    if await lengths(redis):
        return False
    last = (await redis.xinfo_stream(QUEUE.ended))["last-generated-id"]
    groups = await redis.xinfo_groups(QUEUE.ended)
    return all(group["last-delivered-id"] == last and not group["pending"] for group in groups)
