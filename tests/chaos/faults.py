"""The faults of a run, chosen by its seed alone."""

import random
from dataclasses import dataclass
from typing import Final

WORKERS: Final = 3
LINKS: Final = WORKERS + 1
"""Every worker's way to Redis, and the submitter's."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: how often it is chosen, how long it lasts, and what it hits."""

    weight: int
    shortest: float
    longest: float
    targets: int = 1


PEACEFUL: Final = "worker killed, all else in peace"
PEACE_SECONDS: Final = 6.0

KINDS: Final = {
    # kill -9 of a worker, started again after a moment; of all of them at once
    "worker killed": Kind(14, 0.0, 2.0, WORKERS),
    "all workers killed": Kind(2, 0.0, 1.0),
    # kill -9 with nothing else wrong before or after it: how long its jobs stand still
    PEACEFUL: Kind(3, 0.0, 0.0, WORKERS),
    # SIGSTOP and SIGCONT; the lease is 2 s
    "worker frozen, shorter than its lease": Kind(5, 0.2, 1.5, WORKERS),
    "worker frozen past its lease": Kind(10, 2.5, 6.0, WORKERS),
    "worker frozen past its lease, then killed": Kind(3, 2.5, 4.0, WORKERS),
    # SIGTERM: drain; a second one on the way; kill -9 on the way
    "worker drained": Kind(12, 0.0, 0.5, WORKERS),
    "worker told twice to stop": Kind(4, 0.1, 1.0, WORKERS),
    "worker killed while draining": Kind(5, 0.05, 1.0, WORKERS),
    "submitter killed": Kind(6, 0.0, 0.5),
    "redis killed": Kind(10, 0.0, 4.0),
    "redis frozen": Kind(6, 0.2, 7.0),
    "connections of clients killed": Kind(4, 0.0, 0.0),
    "connections of subscribers killed": Kind(3, 0.0, 0.0),
    "redis paused for all": Kind(3, 0.2, 4.0),
    "redis paused for writes": Kind(3, 0.2, 4.0),
    "link slow": Kind(6, 1.0, 5.0, LINKS),
    "link reset": Kind(6, 0.0, 0.0, LINKS),
    "link cut": Kind(8, 0.5, 6.0, LINKS),
    "all links cut": Kind(2, 0.5, 3.0),
    "link half open, requests lost": Kind(4, 0.0, 0.0, LINKS),
    "link half open, replies lost": Kind(4, 0.0, 0.0, LINKS),
    "replies lost after commit": Kind(10, 0.5, 3.0, LINKS),
}
"""Every kind of fault with its chance."""

_SHORTEST_GAP, _LONGEST_GAP = 0.2, 3.2


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, to whom, for how long, and how long after it the next one begins."""

    number: int
    kind: str
    target: int
    seconds: float
    gap_seconds: float


def plan(seed: str, rounds: int) -> list[Fault]:
    """Return the faults of a run; the same seed gives the same ones, and more rounds more of them."""
    pick = random.Random(seed)
    names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
    faults: list[Fault] = []
    for number in range(rounds):
        name = pick.choices(names, weights=weights)[0]
        kind = KINDS[name]
        seconds = pick.uniform(kind.shortest, kind.longest)
        gap = PEACE_SECONDS if name == PEACEFUL else pick.uniform(_SHORTEST_GAP, _LONGEST_GAP)
        faults.append(Fault(number, name, pick.randrange(kind.targets), round(seconds, 2), round(gap, 2)))
    return faults
