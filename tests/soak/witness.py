"""What Redis accepted for each job, read from its append-only file job by job, so that a long one takes no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.chaos.append_only import Written, commands, take


def each_job(folder: Path) -> Iterator[tuple[str, Written]]:
    """Yield every job with all that was written for it, once it was deleted or the file ends."""
    jobs: dict[str, Written] = {}
    for path in sorted(folder.glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3])):
        with path.open("rb") as file:
            for at, command in commands(file):
                job_id = _deleted(command)
                if job_id in jobs:
                    yield job_id, jobs.pop(job_id)
                else:
                    take(jobs, at, command)
    yield from jobs.items()


def _deleted(command: list[bytes]) -> str:
    """The job that a command removes for good, with its lease; a submission that is turned away leaves none."""
    if command[0].upper() not in (b"DEL", b"UNLINK") or len(command) < 3:
        return ""
    return next((key[4:].decode() for key in command[1:] if key.startswith(b"job:")), "")
