"""The loop: start everything, let faults happen, wait until all has settled, look at what came of it."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from loresmith.jobs.connection import Connections
from tests.chaos.checks import Finding, check
from tests.chaos.evidence import Evidence, gather, lengths
from tests.chaos.faults import PEACE_SECONDS, PEACEFUL, Fault, plan
from tests.chaos.poller import Poller
from tests.chaos.report import Recovery, histories, recoveries_of, table
from tests.chaos.stage import Stage
from tests.waiting import wait_until

_AT_ONCE: Final = 4
_SETTLE_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a loop."""

    findings: list[Finding]
    table: str
    histories: str
    evidence: Evidence

    @property
    def slowest(self) -> list[Recovery]:
        """The slowest recoveries after a kill -9, worst first."""
        return sorted(recoveries_of(self.evidence), key=lambda one: -one.seconds)[:5]


async def run(seed: str, rounds: int, folder: Path, *, fsync: str = "always") -> Outcome:
    """Run the loop with everything it needs, which is gone when this returns, and judge it."""
    began = time.monotonic()
    stage = Stage(seed, folder, fsync=fsync)
    poller = Poller(stage.redis.socket)
    try:
        await stage.open()
        polling = asyncio.create_task(poller.poll())
        await _disturb(stage, plan(seed, rounds))
        await stage.stop_submitting()
        await _settled(stage)
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        evidence = await gather(folder, stage.redis.socket, poller)
    finally:
        await stage.close()
    findings = check(evidence)
    summary = table(evidence, findings, seed=seed, seconds=time.monotonic() - began)
    return Outcome(findings, summary, histories(evidence, findings, folder) if findings else "", evidence)


async def _disturb(stage: Stage, faults: list[Fault]) -> None:
    """Let the faults happen one after another, some at the same time."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def inflict(fault: Fault) -> None:
        try:
            await stage.inflict(fault)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        for fault in faults:
            await slots.acquire()
            if fault.kind == PEACEFUL:
                await _peace(slots)
            group.create_task(inflict(fault))
            await asyncio.sleep(fault.gap_seconds)


async def _peace(slots: asyncio.Semaphore) -> None:
    """Wait until no fault is under way, and some time more."""
    for _ in range(_AT_ONCE - 1):
        await slots.acquire()
    await asyncio.sleep(PEACE_SECONDS)
    for _ in range(_AT_ONCE - 1):
        slots.release()


async def _settled(stage: Stage) -> None:
    """Wait until nothing is left in the queue, or for as long as that may take."""
    client: Any = Connections(f"unix://{stage.redis.socket}").client()

    async def empty() -> bool:
        with suppress(RedisError, OSError):
            return not await lengths(client)
        return False

    with suppress(TimeoutError):
        await wait_until(empty, seconds=_SETTLE_SECONDS)
    await client.aclose()
