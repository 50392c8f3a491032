"""What must hold after a loop, each rule one function that yields what breaks it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal

from loresmith.jobs import profiles
from loresmith.jobs.types import LIFETIME_SECONDS, Job
from tests.chaos.evidence import Evidence, RunStory
from tests.chaos.handlers import DEADLINE_SECONDS, ENDLESS_SECONDS

_LATE_SECONDS: Final = 45.0
"""How long after its deadline a job may end when faults hold up whoever would end it."""

Sort = Literal["lost", "doubled", "regenerated", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be; `broken` is every promise but the three that are counted apart."""

    sort: Sort
    job: str
    text: str


def every_accepted_job_ended(evidence: Evidence) -> Iterator[Finding]:
    for job_id in evidence.accepted:
        job = evidence.left.documents.get(job_id)
        if job is None:
            yield Finding("lost", job_id, "was accepted and is gone")
        elif not job.done:
            yield Finding("lost", job_id, f"was accepted and is still {job.state}")
    for event in evidence.of("missing"):
        yield Finding("lost", event.job, "was accepted and was not found later")


def every_job_ended_by_its_deadline(evidence: Evidence) -> Iterator[Finding]:
    for job_id, job in evidence.left.documents.items():
        if job.done and job.started_at and isinstance(job.completed_at, str):
            limit = ENDLESS_SECONDS if job.type == "endless" else DEADLINE_SECONDS
            took = (datetime.fromisoformat(job.completed_at) - datetime.fromisoformat(job.started_at)).total_seconds()
            if took > limit + _LATE_SECONDS:
                yield Finding("broken", job_id, f"took {took:.1f} s, its deadline is {limit} s")
            if job.state == "failed" and job.type in ("items", "quick", "long") and _unfair(job):
                yield Finding("broken", job_id, f"failed without a reason of its own: {job.error!r}")


def _unfair(job: Job) -> bool:
    return not job.error_detail or job.error_detail.code not in ("provider_unavailable", "deadline_exceeded")


def every_result_is_that_of_the_last_run(evidence: Evidence) -> Iterator[Finding]:
    for job_id, job in evidence.left.documents.items():
        result, runs = evidence.result(job), evidence.runs.get(job_id, [])
        if result is None:
            continue
        if not runs or result["run"] != runs[-1].number:
            yield Finding("doubled", job_id, f"shows the result of run {result['run']}, the last is {runs[-1:]}")
            continue
        saved = {name: event.facts["nonce"] for run in runs for name, event in run.saved.items()}
        shown = {name: piece["nonce"] for name, piece in result["pieces"].items()}
        for name in saved.keys() - shown.keys():
            yield Finding("lost", job_id, f"its result lacks piece {name}, which was saved")
        for name in saved.keys() & shown.keys():
            if saved[name] != shown[name]:
                yield Finding("doubled", job_id, f"its result shows another piece {name} than the one saved")


def nothing_is_accepted_twice(evidence: Evidence) -> Iterator[Finding]:
    """Two contents of one item, or two ends of one job, in what Redis accepted."""
    for job_id, written in evidence.written.items():
        accepted: dict[str, bytes] = {}
        for name, value in written.items:
            if accepted.setdefault(name, value) != value:
                yield Finding("doubled", job_id, f"piece {name} was accepted twice: {accepted[name]!r}, {value!r}")
        for earlier, later in pairwise(written.documents):
            if earlier.done and later != earlier:
                yield Finding("doubled", job_id, f"changed after its end: {earlier.state} to {later.state}")


def nothing_runs_again_without_a_death(evidence: Evidence) -> Iterator[Finding]:
    """A run that ended in order, handed back or to be retried, leaves nothing to be done again."""
    for job_id, runs in evidence.runs.items():
        for run, following in pairwise(runs):
            in_order = following.rescues == run.rescues
            if in_order and run.finished:
                yield Finding("doubled", job_id, f"run {run.number} finished, and {following.number} ran all the same")
            for later in runs if in_order else ():
                if later.number > run.number:
                    for name in run.generated.keys() & later.generated.keys():
                        yield Finding("regenerated", job_id, f"piece {name} of run {run.number} in {later.number}")


def nothing_saved_is_generated_again(evidence: Evidence) -> Iterator[Finding]:
    for job_id, runs in evidence.runs.items():
        for i, run in enumerate(runs):
            for later in runs[i + 1 :]:
                yield from _again(job_id, run, later)
            names = [event.facts["name"] for event in run.generating]
            for name in {name for name in names if names.count(name) > 1 or name in run.have}:
                yield Finding("regenerated", job_id, f"piece {name} in run {run.number}, which had it")


def _again(job_id: str, run: RunStory, later: RunStory) -> Iterator[Finding]:
    for name, event in run.saved.items():
        if later.have.get(name) != event.facts["nonce"]:
            yield Finding("lost", job_id, f"piece {name}, saved in run {run.number}, is not in run {later.number}")
        if any(one.facts["name"] == name for one in later.generating):
            yield Finding("regenerated", job_id, f"piece {name}, saved in run {run.number}, in run {later.number}")


def a_retry_takes_over_what_was_finished(evidence: Evidence) -> Iterator[Finding]:
    for job_id, job in evidence.left.documents.items():
        for before in evidence.runs.get(job.retry_of or "", []):
            for run in evidence.runs.get(job_id, []):
                for name in before.saved.keys() & {one.facts["name"] for one in run.generating}:
                    yield Finding("regenerated", job_id, f"piece {name}, which {job.retry_of} had saved")


def one_key_makes_one_job(evidence: Evidence) -> Iterator[Finding]:
    by_key: dict[str, set[str]] = defaultdict(set)
    for job_id, job in evidence.left.documents.items():
        if job.metadata.get("key") and job.retry_of is None:
            by_key[job.metadata["key"]].add(job_id)
    for event in evidence.of("key"):
        by_key[event.facts["key"]].update(event.facts["jobs"])
    for key, jobs in by_key.items():
        if len(jobs) > 1:
            yield Finding("doubled", min(jobs), f"idempotency key {key!r} made {sorted(jobs)}")


def what_was_turned_away_does_not_run(evidence: Evidence) -> Iterator[Finding]:
    turned_away = {event.facts["token"] for event in evidence.of("turned_away")}
    for job_id, job in evidence.left.documents.items():
        if job.metadata.get("token") in turned_away and job.retry_of is None:
            yield Finding("broken", job_id, "was turned away because the queue was full, and exists")


def a_cancel_stands(evidence: Evidence) -> Iterator[Finding]:
    for event in evidence.of("cancel"):
        job = evidence.left.documents.get(event.job)
        expected = event.facts["state"] if event.facts["done"] else "cancelled"
        if job is not None and job.state != expected:
            yield Finding("broken", event.job, f"cancel was answered {event.facts['state']}, and it ended {job.state}")


def documents_only_go_forward(evidence: Evidence) -> Iterator[Finding]:
    for job_id, written in evidence.written.items():
        for earlier, later in pairwise(written.documents):
            if later != earlier and later.seq <= earlier.seq:
                yield Finding("broken", job_id, f"seq {earlier.seq} was followed by {later.seq}")
            if later.progress < earlier.progress:
                yield Finding("broken", job_id, f"progress fell from {earlier.progress} to {later.progress}")
        runs = [int(lease.partition(":")[0]) for lease in written.leases if lease != "end"]
        if any(later < earlier for earlier, later in pairwise(runs)):
            yield Finding("broken", job_id, f"runs went back: {written.leases}")
    for job_id, text in evidence.poller.complaints:
        yield Finding("broken", job_id, f"as a client saw it: {text}")


def each_end_is_announced_once(evidence: Evidence) -> Iterator[Finding]:
    """A submission that died before its document is announced too; whoever follows up finds no job and goes on."""
    announced = Counter(evidence.left.announced)
    for job_id, job in evidence.left.documents.items():
        if job.done and announced[job_id] != 1:
            yield Finding("broken", job_id, f"its end was announced {announced[job_id]} times")


def nothing_is_left_behind(evidence: Evidence) -> Iterator[Finding]:
    for name, count in evidence.left.queue.items():
        yield Finding("broken", "", f"{count} left in {name}")
    for name, left_ms in evidence.left.lifetimes_ms.items():
        longest = profiles.LIFETIME_SECONDS if name.startswith(("profile:", "pace:")) else LIFETIME_SECONDS
        if not (left_ms == -2 or 0 < left_ms <= longest * 1000 or (left_ms == -1 and name.startswith("queue:{"))):
            yield Finding("broken", "", f"key {name} has a lifetime of {left_ms} ms")


def nobody_was_surprised(evidence: Evidence) -> Iterator[Finding]:
    for event in evidence.of("surprise"):
        yield Finding("broken", event.job, f"{event.facts['act']} raised {event.facts['error']}")
    up = {event.facts["pid"] for event in evidence.of("up")}
    for event in evidence.of("undrained"):
        if event.facts["pid"] in up:  # else it was told to stop before it listened
            yield Finding("broken", "", f"worker {event.facts['pid']} drained with exit code {event.facts['code']}")


CHECKS: Final[tuple[Callable[[Evidence], Iterator[Finding]], ...]] = (
    every_accepted_job_ended,
    every_job_ended_by_its_deadline,
    every_result_is_that_of_the_last_run,
    nothing_is_accepted_twice,
    nothing_runs_again_without_a_death,
    nothing_saved_is_generated_again,
    a_retry_takes_over_what_was_finished,
    one_key_makes_one_job,
    what_was_turned_away_does_not_run,
    a_cancel_stands,
    documents_only_go_forward,
    each_end_is_announced_once,
    nothing_is_left_behind,
    nobody_was_surprised,
)


def check(evidence: Evidence) -> list[Finding]:
    """Return everything that must not be."""
    return [finding for rule in CHECKS for finding in rule(evidence)]
