"""What is known after a run: the ledgers, the history of Redis, the database, the logs of the lore hosts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.chaos.append_only import read_append_only
from tests.chaos.evidence import Evidence, left_in
from tests.chaos.ledger import read_ledgers
from tests.chaos.poller import Poller
from tests.hosts.site import Site


@dataclass(slots=True)
class SiteEvidence(Evidence):
    """The evidence of the loop, and what only several hosts have."""

    worlds: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """(job, world) of each saved world."""
    history: dict[str, str] = field(default_factory=dict[str, str])
    """Job → state, of the rows of the history."""
    answered: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """(job, what was asked for) → how often a model wrote it to the end."""

    def served(self, *acts: str) -> Iterator[tuple[float, float]]:
        """When each request of these kinds was first made, and how many seconds later it was answered."""
        for event in self.of("served"):
            if event.facts["act"] in acts:
                yield event.facts["began"], event.facts["seconds"]


async def gather(site: Site) -> SiteEvidence:
    """Collect everything; the servers still run, the load does not.

    The append-only file is that of the last primary. It has followed the others from the start, so it has all that
    was accepted and replicated, in order.
    """
    events = read_ledgers(site.folder)
    looks = sum(1 for event in events if event.kind == "served" and event.facts["act"] == "read")
    complaints = [(event.job, event.facts["text"]) for event in events if event.kind == "went_back"]
    left = await left_in(site.plan.redis_url)
    left.lifetimes_ms = {
        name: ms for name, ms in left.lifetimes_ms.items() if not name.startswith(("profile:", "pace:"))
    }
    return SiteEvidence(
        events,
        read_append_only(site.primary().folder / "appendonlydir"),
        left,
        Poller(Path(), looks=looks, complaints=complaints),
        worlds=[(str(job), str(world)) for job, world in site.rows("SELECT root_job_id, id FROM worlds")],
        history={str(job): str(state) for job, state in site.rows("SELECT job_id, state FROM job_history")},
        answered=Counter(call for host in site.plan.lore for call in _answered(site.folder / f"{host}.log")),
    )


def _answered(log: Path) -> Iterator[tuple[str, str]]:
    for line in log.read_text(errors="replace").splitlines():
        if '"generation finished"' in line:
            facts: dict[str, Any] = msgspec.json.decode(line)
            if not facts["purpose"].startswith("paragraph"):  # a paragraph takes several calls of one purpose
                yield facts["job_id"], facts["purpose"]


def by_job(calls: dict[tuple[str, str], int]) -> dict[str, int]:
    """Job → how many of its calls were written to the end more than once."""
    found: dict[str, int] = defaultdict(int)
    for (job, _), count in calls.items():
        found[job] += count - 1
    return {job: count for job, count in found.items() if count}
