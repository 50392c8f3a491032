"""The run itself, inside the namespaces: hosts, load, faults, and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError

from tests.chaos.checks import Finding
from tests.chaos.children import Child
from tests.chaos.evidence import lengths
from tests.chaos.ledger import Ledger
from tests.hosts.checks import check
from tests.hosts.evidence import gather
from tests.hosts.faults import Hand
from tests.hosts.plan import CLIENT, SHORT, WHOLE, Plan
from tests.hosts.report import tables
from tests.hosts.site import Site
from tests.waiting import wait_until

_SETTLE_SECONDS: Final = 120.0
_SHOWN: Final = 30
_SEED: Final = "hosts"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    findings: list[Finding]
    text: str


async def run(plan: Plan, folder: Path, faults: Sequence[Callable[[Hand], Awaitable[None]]]) -> Outcome:
    """Start the hosts, let the faults happen under load, and judge."""
    began = time.monotonic()
    ledger = Ledger(folder / "hand.ledger")
    site = Site(plan, folder)
    load = Child("load", folder, list)
    try:
        load = _load(site, await site.open())
        started = time.monotonic()
        await load.start()
        for fault in faults:
            await fault(Hand(site, ledger))
        load.signal(signal.SIGTERM)
        await asyncio.wait_for(load.ended(), _SETTLE_SECONDS)
        loaded = time.monotonic() - started
        await wait_until(lambda: _settled(site), seconds=_SETTLE_SECONDS)
        evidence = await gather(site)
    finally:
        await load.kill()
        await site.close()
        ledger.close()
    findings = check(evidence)
    seconds = {"hosts ready after": started - began, "load": loaded, "all of it": time.monotonic() - began}
    return Outcome(findings, tables(evidence, findings, plan, seconds))


def _load(site: Site, keys: dict[str, str]) -> Child:
    plan = site.plan
    arguments = [str(site.folder), _SEED, str(plan.clients), json.dumps(keys), ",".join(plan.api_urls)]
    return Child(
        "load",
        site.folder,
        lambda: [*site.switch.entered(CLIENT), sys.executable, "-m", "tests.hosts.load", *arguments],
    )


async def _settled(site: Site) -> bool:
    """Nothing is left in the queue, and each job that ended has its row in the history."""
    with suppress(RedisError, OSError):
        return not await lengths(site.watching) and await site.unrecorded() == 0
    return False


def main() -> int:
    """Run in the folder of the arguments; the exit code is 1 when a promise was broken."""
    folder, short = Path(sys.argv[1]), "--short" in sys.argv
    plan = SHORT if short else WHOLE
    faults = [Hand.worker_cut_off, Hand.primary_cut_off]
    if not short:
        faults = [
            Hand.worker_cut_off,
            Hand.lore_cut_off,
            Hand.api_cut_off,
            Hand.primary_cut_off,
            Hand.cable_loose,
            Hand.postgres_cut_off,
            Hand.rolling_upgrade,
        ]
    os.environ["TMPDIR"] = str(folder)
    outcome = asyncio.run(run(plan, folder, faults))
    sys.stdout.write(outcome.text)
    for finding in outcome.findings[:_SHOWN]:
        sys.stdout.write(f"{finding.sort}: job {finding.job or '-'} {finding.text}\n")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
