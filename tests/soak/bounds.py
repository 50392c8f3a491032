"""What must stay flat in a soak, and how flat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from loresmith.jobs.stats import SAMPLE
from tests.soak.flat import Bound, Verdict, judge
from tests.soak.samples import Sample

_MEMORY: Final = Bound(0.10, 5.0)
_COUNT: Final = Bound(0.10, 12.0)
_JOBS: Final = Bound(0.25, 100.0)
"""Keys of jobs: those in flight and those kept are held at a number, but what each has differs with its type."""
_TOLD: Final = ("jobs in flight", "Redis memory, MB", "of it", "keys of indexes", "RSS of the Redis")
"""Figures that are held at a number, or grow with each job for a day by design."""
_CEILINGS: Final = {"entries of the stream of ended jobs": 2.0 * SAMPLE + 100.0}
"""What fills up to a number and is then cut back."""


def bound_of(name: str) -> Bound | None:
    """How much a figure may grow in an hour, None for one that is only told."""
    if name.startswith(_TOLD):
        return None
    if name.endswith("MB"):
        return _MEMORY
    return _JOBS if "job:" in name or "entries" in name else _COUNT


def verdicts(samples: Sequence[Sample]) -> list[Verdict]:
    """Judge every figure, in the order in which they are looked at."""
    names = list(dict.fromkeys(name for sample in samples for name in sample.figures))
    times = [sample.at for sample in samples]
    return [
        judge(name, times, _values(samples, name), bound=bound_of(name), ceiling=_CEILINGS.get(name)) for name in names
    ]


def _values(samples: Sequence[Sample], name: str) -> list[float]:
    return [one.figures.get(name, 0.0) for one in samples]
