"""What a worker is given by the queue, and what it finds when it takes the lease of a job."""

import time
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from loresmith.jobs.types import Job, JobInput


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
