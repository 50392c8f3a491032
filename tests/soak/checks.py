"""What must hold after a soak: the rules of the loop of faults that need no ledger of the handlers, and some more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from loresmith.jobs import Job
from tests.chaos import checks as chaos
from tests.chaos.checks import Finding
from tests.chaos.evidence import Evidence
from tests.soak.flat import Verdict

OF_ONE_JOB: Final[Sequence[Callable[[Evidence], Iterator[Finding]]]] = (
    chaos.nothing_is_accepted_twice,
    chaos.documents_only_go_forward,
)
"""Rules that look at all that was written for one job."""
OF_ALL: Final[Sequence[Callable[[Evidence], Iterator[Finding]]]] = (
    chaos.every_accepted_job_ended,
    chaos.one_key_makes_one_job,
    chaos.a_cancel_stands,
    chaos.nothing_is_left_behind,
    chaos.nobody_was_surprised,
)


@dataclass(frozen=True, slots=True)
class Records:
    """What SQL says: the state of each job in the history, and how many worlds each first job has."""

    history: Mapping[str, str] = field(default_factory=dict[str, str])
    worlds: Mapping[str, int] = field(default_factory=dict[str, int])


def each_end_is_recorded(documents: Mapping[str, Job], records: Records) -> Iterator[Finding]:
    """Every job that ended has its row in the history, and no job that is not there has one."""
    for job_id, job in documents.items():
        if job.done and records.history.get(job_id) != job.state.value:
            found = records.history.get(job_id)
            yield Finding("lost" if found is None else "broken", job_id, f"ended {job.state}, its row says {found}")
    for job_id in records.history.keys() - documents.keys():
        yield Finding("broken", job_id, "is in the history, and was never written")


def each_world_is_saved_once(documents: Mapping[str, Job], records: Records) -> Iterator[Finding]:
    """A job that made a world has one, and no world is there twice."""
    made = Counter(_root(documents, job) for job in documents.values() if _made_a_world(job))
    for root in made:
        if root not in records.worlds:
            yield Finding("lost", root, "made a world that was not saved")
    for root, count in {**records.worlds}.items():
        if count > 1:
            yield Finding("doubled", root, f"has {count} worlds")


def _made_a_world(job: Job) -> bool:
    return job.type == "create_world" and job.state == "completed"


def _root(documents: Mapping[str, Job], job: Job) -> str:
    while job.retry_of is not None and job.retry_of in documents:
        job = documents[job.retry_of]
    return job.id


def nothing_grows(found: Sequence[Verdict]) -> Iterator[Finding]:
    """Every figure with a bound is flat."""
    for verdict in found:
        if not verdict.is_flat:
            grown = f"grows by {verdict.growth:.1f} an hour, expected at most {verdict.allowed}"
            text = grown if verdict.ceiling is None else f"was {verdict.highest:.0f}, expected {verdict.ceiling:.0f}"
            text = f"{verdict.name} {text}"
            yield Finding("broken", "", text)
