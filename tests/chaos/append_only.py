"""What Redis really accepted and in which order, read from its append-only file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from loresmith.jobs.types import Job, decode_job

_SHOWN = 400


@dataclass(slots=True)
class Written:
    """Everything written for one job, each list in order. Times are Redis's, in whole seconds."""

    documents: list[Job] = field(default_factory=list[Job])
    leases: list[str] = field(default_factory=list[str])
    items: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    discarded: list["Written"] = field(default_factory=list["Written"])
    lines: list[str] = field(default_factory=list[str])


def read_append_only(folder: Path, *, whole: frozenset[str] = frozenset()) -> dict[str, Written]:
    """Return what was written for each job; for those in `whole` with every command as a line."""
    jobs: dict[str, Written] = {}
    for path in sorted(folder.glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3])):
        with path.open("rb") as file:
            for at, command in commands(file):
                take(jobs, at, command, whole)
    return jobs


def take(jobs: dict[str, Written], at: int, command: list[bytes], whole: Iterable[str] = ()) -> None:
    """Add what a command wrote to what is known of its job."""
    name, key = command[0].upper(), command[1].decode(errors="replace") if len(command) > 1 else ""
    job_id, _, part = key.removeprefix("{").removeprefix("job:").partition("}:")
    if key.startswith(("job:", "{job:")):
        job = jobs.setdefault(job_id, Written())
        match name, part:
            case b"SET", "":
                job.documents.append(decode_job(command[2]))
            case b"SET", "lease":
                job.leases.append(command[2].decode())
            case b"HSET", "items":
                job.items.append((command[2].decode(), command[3]))
            case ((b"DEL" | b"UNLINK"), ""):
                jobs[job_id] = Written(discarded=[*job.discarded, job], lines=job.lines)
            case _:
                pass
    for wanted in whole:
        if any(wanted.encode() in word for word in command):
            text = b" ".join(command).decode(errors="replace")
            jobs.setdefault(wanted, Written()).lines.append(f"{at} {text[:_SHOWN]}")


def commands(file: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """Yield every whole command with its time; a torn end, as a kill leaves it, is passed over."""
    at = 0
    while line := file.readline():
        if line.startswith(b"#TS:"):
            at = int(line[4:])
        elif line.startswith(b"*"):
            command = [_word(file) for _ in range(int(line[1:]))]
            yield at, command


def _word(file: BinaryIO) -> bytes:
    length = int(file.readline()[1:] or 0)
    return file.read(length + 2)[:-2]
