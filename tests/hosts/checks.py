"""What must hold after a run on several hosts: rules of the loop, and those of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from loresmith.jobs import Job
from tests.chaos import checks as loop
from tests.chaos.checks import Finding
from tests.hosts.evidence import SiteEvidence, by_job
from tests.hosts.load import digest_of


def code_of(job: Job) -> str:
    """Return why a job failed."""
    return job.error_detail.code if job.error_detail else ""


def no_job_fails(evidence: SiteEvidence) -> Iterator[Finding]:
    """The model makes no mistakes, and what was done to the hosts costs time and no job."""
    for job_id, job in evidence.left.documents.items():
        if job.state == "failed":
            yield Finding("broken", job_id, f"failed: {job.error_detail!r}")


def what_a_client_saw_at_the_end_stays(evidence: SiteEvidence) -> Iterator[Finding]:
    for event in evidence.of("ended"):
        job = evidence.left.documents.get(event.job)
        if job is None:
            continue  # counted as lost
        now = {"state": job.state, "result": digest_of(msgspec.json.decode(job.result))}
        if now != event.facts:
            yield Finding("doubled", event.job, f"a client saw {event.facts}, now it is {now}")


def one_world_of_each_job(evidence: SiteEvidence) -> Iterator[Finding]:
    saved = dict(evidence.worlds)
    for job_id, count in Counter(job for job, _ in evidence.worlds).items():
        if count > 1:
            yield Finding("doubled", job_id, f"saved {count} worlds")
    made = {one.id: one for one in evidence.left.documents.values() if one.type == "create_world"}
    for job_id, job in made.items():
        if job.state == "completed" and msgspec.json.decode(job.result)["world_id"] != saved.get(job_id):
            yield Finding(
                "lost", job_id, f"its result names another world than the one that is saved, {saved.get(job_id)}"
            )
    for job_id in saved.keys() - made.keys():
        yield Finding("broken", job_id, "has a world and is no job")


def each_end_is_in_the_history(evidence: SiteEvidence) -> Iterator[Finding]:
    for job_id, job in evidence.left.documents.items():
        if job.done and evidence.history.get(job_id) != job.state:
            yield Finding("broken", job_id, f"is {job.state}, in the history {evidence.history.get(job_id)}")


def nothing_is_paid_twice_without_a_loss(evidence: SiteEvidence) -> Iterator[Finding]:
    """A call is made again only for a job that lost a worker, a call under way, or what was not yet replicated."""
    for job_id, count in by_job(evidence.answered).items():
        job = evidence.left.documents.get(job_id)
        if job is not None and job.rescues == 0 and job.attempt <= 1:
            yield Finding("regenerated", job_id, f"{count} calls were made again, and no worker or call of it was lost")


def every_process_stops_in_order(evidence: SiteEvidence) -> Iterator[Finding]:
    for event in evidence.of("unclean"):
        yield Finding("broken", "", f"{event.facts['host']} ended with exit code {event.facts['code']}")


OF_THE_LOOP: Final = (
    loop.every_accepted_job_ended,
    loop.nothing_is_accepted_twice,
    loop.one_key_makes_one_job,
    loop.a_cancel_stands,
    loop.documents_only_go_forward,
    loop.nothing_is_left_behind,
    loop.nobody_was_surprised,
)
OF_HOSTS: Final[tuple[Callable[[SiteEvidence], Iterator[Finding]], ...]] = (
    no_job_fails,
    what_a_client_saw_at_the_end_stays,
    one_world_of_each_job,
    each_end_is_in_the_history,
    nothing_is_paid_twice_without_a_loss,
    every_process_stops_in_order,
)


def check(evidence: SiteEvidence) -> list[Finding]:
    """Return everything that must not be."""
    return [finding for rule in (*OF_THE_LOOP, *OF_HOSTS) for finding in rule(evidence)]
