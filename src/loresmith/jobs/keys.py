"""Every Redis key of the engine, with its type and what it holds.

`job:<id>` and `{job:<id>}:…` hash to one Cluster slot, since the tag equals the whole of the first; so do all keys of
one queue. Ids are parsed as UUIDs before a key is built, owners enter as a hex digest, and queue names are checked:
nothing a stranger sends can cut a hash tag.
"""

import hashlib
import re
from functools import lru_cache
from typing import Final

from loresmith.jobs.types import Priority

GROUP: Final = "workers"
PRIORITIES: Final = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
LETTER_OF: Final = {Priority.HIGH: "h", Priority.NORMAL: "n", Priority.LOW: "l"}
PRIORITY_OF: Final = {letter: priority for priority, letter in LETTER_OF.items()}
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9_.:/@+-]")
_QUEUE_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")


def parse_job_id(text: str) -> str | None:
    """Return a job id, or None when the text is not a UUID in its canonical form: lower case, with hyphens."""
    return text if _UUID.fullmatch(text) else None


@lru_cache(maxsize=1024)
def owner_digest(owner: str) -> str:
    """Return the form in which an owner enters keys: 32 hex digits."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


def document(job_id: str) -> str:
    """string: the public document, JSON."""
    return f"job:{job_id}"


def submitted(job_id: str) -> str:
    """string: payload, owner, limits, JSON; written once."""
    return f"{{job:{job_id}}}:input"


def items(job_id: str) -> str:
    """hash: checkpoint, finished items by index and finished steps by name."""
    return f"{{job:{job_id}}}:items"


def lease(job_id: str) -> str:
    """string: the fence: `<run>:` waiting, `<run>:<worker>:<entry>` held, `end` when terminal."""
    return f"{{job:{job_id}}}:lease"


def cancel(job_id: str) -> str:
    """string: set when a cancel was asked for."""
    return f"{{job:{job_id}}}:cancel"


def retry(job_id: str) -> str:
    """string: the id of the newest retry that a user asked for."""
    return f"{{job:{job_id}}}:retry"


def idempotency(owner: str, key: str) -> str:
    """string: the id and the fingerprint of the submission with this Idempotency-Key, JSON."""
    return f"idempotency:{{{owner_digest(owner)}}}:{hashlib.sha256(key.encode()).hexdigest()}"


def events(job_id: str) -> str:
    """channel: each change of the job, JSON: the document, items finished with it, whether a cancel is asked for."""
    return f"job-events:{job_id}"


def owned(owner: str) -> str:
    """zset: ids of an owner's jobs by creation time, a hint for listing."""
    return f"jobs:{{{owner_digest(owner)}}}"


def everybodys() -> str:
    """zset: ids of all jobs by creation time, for those who may see them all; a hint too."""
    return "jobs:{all}"


def profile(job_type: str, model: str, count: int) -> str:
    """list: when past jobs of a type, model and size reached their checkpoints, newest first; bounded, a month."""
    return f"profile:{job_type}:{_plain(model)}:{count}"


def pace(model: str) -> str:
    """list: how much slower than usual the last jobs on a model were, newest first; bounded, a month."""
    return f"pace:{_plain(model)}"


def _plain(name: str) -> str:
    """Return a name that somebody chose as a part of a key: bounded, without what would make it a hash tag."""
    return _UNUSUAL.sub("_", name)[:128] or "_"


CANCELS: Final = "job-cancels"
"""channel: ids of running jobs whose cancel was asked for, a hint."""
WORKERS: Final = "workers"
"""zset: names of workers by their last heartbeat, in ms."""


def worker(name: str) -> str:
    """hash: what a worker says of itself; gone half a minute after its last heartbeat."""
    return f"worker:{name}"


class QueueKeys:
    """The keys of one queue; all share a slot."""

    def __init__(self, name: str) -> None:
        if not _QUEUE_NAME.fullmatch(name):
            raise ValueError(f"queue name {name!r} must match [a-z0-9-]{{1,64}}")
        tag = f"queue:{{{name}}}"
        self.name = name
        self.streams = tuple(f"{tag}:{priority}" for priority in PRIORITIES)
        """stream + group: ids released to workers, one stream a priority."""
        self.scheduled = f"{tag}:scheduled"
        """zset: due time in ms → `<h|n|l>:<reference>`: intents of submits, delayed jobs, retries."""
        self.open = f"{tag}:open"
        """zset: references of jobs not ended → the time in ms by which they must have started."""
        self.owners = f"{tag}:owner"
        """prefix of `…:open:<owner>`, `…:running:<owner>` (sets), `…:waiting:<owner>` (list); `type-…`, `group-…`."""
        self.ended = f"{tag}:ended"
        """stream + a group each follower: ids that ended, until all groups acknowledged them; the newest stay."""
        self.paused = f"{tag}:paused"
        """string: set while the queue is paused."""
        self.sweep = f"{tag}:sweep"
        """string with a short lifetime: paces the rescue sweep over the fleet."""
        self.inspect = f"{tag}:inspect"
        """string with a lifetime: paces the inspection of all open jobs over the fleet."""
        self.cursor = f"{tag}:cursor"
        """hash with a lifetime: where the rescue sweep of each stream goes on."""

        self.replicated = f"{tag}:replicated"
        """string with a short lifetime: written before WAIT, which counts what its own connection wrote."""

    def stream(self, letter: str) -> str:
        """Return the stream of the priority with this letter."""
        return self.streams["hnl".index(letter)]
