"""What a worker is given by the queue, and what it finds when it takes the lease of a job."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from loresmith.jobs.keys import GROUP, QueueKeys
from loresmith.jobs.types import Job, JobInput

_RENEW_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry of the queue that this worker was given."""

    letter: str
    entry_id: str
    reference: str
    rescued: bool = False
    delivery: int = 1
    """Which delivery of the entry this is: each rescue is a new one."""
    claimed_at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def job_id(self) -> str:
        """The id of the job, without the bounds that its reference may carry."""
        return self.reference.partition(":")[0]

    @property
    def entry(self) -> str:
        """The entry as leases name it: ids of two streams may be equal."""
        return f"{self.letter}{self.entry_id}"


def parse_entry(lease: str) -> tuple[str, str]:
    """Return the letter of the stream and the id of the entry that a held lease, or a `holder`, names."""
    entry = lease.rpartition(":")[2]
    return entry[:1], entry[1:]


class Reason(StrEnum):
    """Why a claimed entry is not run."""

    GONE = "gone"
    ENDED = "ended"
    HELD = "held"
    TAKEN = "taken"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Dropped:
    """The entry is not to be run: its job is gone, has ended, or is held by another entry or worker."""

    reason: Reason
    holder: str = ""
    """The entry, as leases name it, through which the job is held."""


@dataclass(slots=True)
class Begun:
    """A job whose lease this worker now holds."""

    job: Job
    submitted: JobInput
    run: int
    lease: str
    taken_over: bool
    cancel_asked: bool
    checkpoint: dict[str, msgspec.Raw] = field(default_factory=dict[str, msgspec.Raw])


def renewals(
    queue: QueueKeys, consumer: str, claims: Sequence[Claim]
) -> list[tuple[tuple[str], list[str], dict[str, str]]]:
    """Return the calls of the renewal script: keys, arguments, and job ids by entry id."""
    calls: list[tuple[tuple[str], list[str], dict[str, str]]] = []
    for letter in "hnl":
        mine = {claim.entry_id: claim.job_id for claim in claims if claim.letter == letter}
        ids = list(mine)
        for start in range(0, len(ids), _RENEW_CHUNK):
            chunk = ids[start : start + _RENEW_CHUNK]
            calls.append(((queue.stream(letter),), [GROUP, consumer, *chunk], mine))
    return calls
