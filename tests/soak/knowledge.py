"""What the clients of a soak know of their jobs, and what they find wrong with an answer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, cast

from loresmith.client import Job

KEPT: Final = 150
"""Ended jobs that the clients leave in Redis, the newest; older ones they delete, as a shorter lifetime would."""
_RETRYABLE: Final = 30


@dataclass(slots=True)
class Seen:
    """A job as it was when a client last looked."""

    seq: int = -1
    progress: int = 0
    items: int = 0
    wanted: int | None = None
    """How many items it is to have, where that is known."""


@dataclass(slots=True)
class Knowledge:
    """The jobs of all clients."""

    open: dict[str, Seen] = field(default_factory=dict[str, Seen])
    ended: deque[str] = field(default_factory=deque[str])
    """Ended jobs that were not deleted yet, oldest first."""
    failed: deque[str] = field(default_factory=lambda: deque[str](maxlen=_RETRYABLE))
    complaints: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    known: int = 0
    looks: int = 0

    def accepted(self, job: Job, wanted: int | None = None) -> bool:
        """Take a new job in; returns whether it is new."""
        if job.id in self.open or job.done:
            return False
        self.known += 1
        self.open[job.id] = Seen(wanted=wanted)
        return True

    def look(self, job: Job) -> None:
        """Compare an answer with the one before, and take it for the newest."""
        seen = self.open.get(job.id)
        if seen is None or job.seq < seen.seq:  # an answer that came later than one which was asked for later
            return
        self.looks += 1
        if job.progress < seen.progress:
            self.complaints.append((job.id, f"progress fell from {seen.progress} to {job.progress}"))
        if not job.done and len(job.items) < seen.items:
            self.complaints.append((job.id, f"items fell from {seen.items} to {len(job.items)}"))
        seen.seq, seen.progress, seen.items = job.seq, job.progress, len(job.items)
        if job.done:
            self._end(job, seen)

    def _end(self, job: Job, seen: Seen) -> None:
        del self.open[job.id]
        self.ended.append(job.id)
        if job.status == "failed":
            self.failed.append(job.id)
            return
        for text in _complaints_of(job.result, seen.wanted):
            self.complaints.append((job.id, text))

    def too_old(self) -> list[str]:
        """Take out the ended jobs that are to be deleted now, a hundred at most."""
        old = [self.ended.popleft() for _ in range(min(100, len(self.ended) - KEPT))]
        for job_id in set(old).intersection(self.failed):
            self.failed.remove(job_id)
        return old


def _complaints_of(result: Any, wanted: int | None) -> list[str]:
    """What is wrong with the result of a completed job: too few pieces, or one twice."""
    pieces = cast("list[Any]", result if isinstance(result, list) else result["pieces"])
    names: list[str] = [piece["name"].casefold() for piece in pieces]
    found: list[str] = []
    if wanted is not None and len(pieces) != wanted:
        found.append(f"has {len(pieces)} pieces, {wanted} were asked for")
    if len(set(names)) != len(names):
        found.append(f"has a piece twice: {names}")
    return found
