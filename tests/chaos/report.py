"""The table of counts at the end of a loop, and the whole history of a job that went wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.chaos.append_only import read_append_only
from tests.chaos.checks import Finding
from tests.chaos.evidence import Evidence, RunStory

_HISTORIES: Final = 5
_BEFORE_SECONDS: Final = 2.0
"""A fault so shortly before is not over: rescues wait until Redis was there for a whole lease."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long a job stood still after the kill -9 of its worker, until another run of it started."""

    job: str
    run: int
    seconds: float
    alone: bool
    """Whether no other fault was there meanwhile."""


def table(evidence: Evidence, findings: list[Finding], *, seed: str, seconds: float) -> str:
    """Return the counts as a Markdown table."""
    width = 58
    rows = [*_faults(evidence), *_jobs(evidence), *_work(evidence), *_verdict(evidence, findings)]
    lines = [f"| {'seed ' + seed:<{width}} | {seconds:>8.0f} s |", f"|{'-' * (width + 2)}|{'-' * 11}:|"]
    return "\n".join(lines + [f"| {name:<{width}} | {value:>10} |" for name, value in rows])


def _faults(evidence: Evidence) -> Iterator[tuple[str, object]]:
    faults = Counter(event.facts["what"] for event in evidence.of("fault"))
    for name, count in sorted(faults.items()):
        yield f"fault: {name}", count
    yield "faults", faults.total()


def _jobs(evidence: Evidence) -> Iterator[tuple[str, object]]:
    accepted = [evidence.left.documents.get(job_id) for job_id in evidence.accepted]
    states = Counter(job.state.value for job in accepted if job is not None and job.done)
    yield "jobs accepted", len(accepted)
    yield "jobs ended", states.total()
    for state in ("completed", "failed", "cancelled"):
        yield f"  of them {state}", states[state]
    yield "submissions turned away, queue or owner full", len(evidence.of("turned_away"))
    yield "answers that Redis is away", len(evidence.of("unavailable"))
    yield "cancels asked for", len(evidence.of("cancel"))
    yield "retries by the user", sum(1 for job in accepted if job is not None and job.retry_of)


def _work(evidence: Evidence) -> Iterator[tuple[str, object]]:
    runs = [run for stories in evidence.runs.values() for run in stories]
    yield "runs", len(runs)
    yield (
        "rescues",
        sum(max(job.rescues for job in one.documents) for one in evidence.written.values() if one.documents),
    )
    yield "pieces generated", sum(len(run.generated) for run in runs)
    yield "pieces saved", sum(len(run.saved) for run in runs)
    yield "pieces lost with their worker before they were saved", sum(_repeated(evidence))
    yield "pieces that a stale worker began before it noticed", sum(_stale(evidence))
    yield "stale writes refused", len(evidence.of("refused"))
    yield "looks of a client", evidence.poller.looks


def _repeated(evidence: Evidence) -> Iterator[int]:
    for runs in evidence.runs.values():
        for i, run in enumerate(runs):
            unsaved = run.generated.keys() - run.saved.keys()
            yield len(unsaved & {name for later in runs[i + 1 :] for name in later.generated})


def _stale(evidence: Evidence) -> Iterator[int]:
    for runs in evidence.runs.values():
        for run, following in pairwise(runs):
            yield sum(1 for event in run.generating if event.at > following.started.at)


def _verdict(evidence: Evidence, findings: list[Finding]) -> Iterator[tuple[str, object]]:
    recoveries = list(recoveries_of(evidence))
    alone = [one.seconds for one in recoveries if one.alone]
    yield "jobs running when their worker was killed with -9", len(recoveries)
    yield "worst recovery, seconds", f"{max((one.seconds for one in recoveries), default=0.0):.1f}"
    yield "worst recovery with no other fault meanwhile, seconds", f"{max(alone, default=0.0):.1f}"
    sorts = Counter(finding.sort for finding in findings)
    for sort, name in (("lost", "lost"), ("doubled", "doubled"), ("regenerated", "regenerated items")):
        yield name, sorts[sort]
    yield "other promises broken", sorts["broken"]


def recoveries_of(evidence: Evidence) -> Iterator[Recovery]:
    """Yield how long each job stood still whose worker was killed while it ran."""
    faults = [(event.at, event.facts["number"]) for event in evidence.of("fault")]
    ends = {event.facts["number"]: event.at for event in evidence.of("over")}
    for kill in evidence.of("killed"):
        for job, runs in evidence.runs.items():
            for run, following in pairwise(runs):
                if _held(run, kill.facts["pid"], kill.at) and following.started.at > kill.at:
                    until = following.started.at
                    others = [n for at, n in faults if at < until and ends.get(n, until) > kill.at - _BEFORE_SECONDS]
                    yield Recovery(job, run.number, until - kill.at, alone=len(others) == 1)


def _held(run: RunStory, pid: int, at: float) -> bool:
    ended = run.stopped or run.finished
    return run.started.facts["pid"] == pid and run.started.at < at and (ended is None or ended.at > at)


def histories(evidence: Evidence, findings: Iterable[Finding], folder: Path) -> str:
    """Return everything known about the first few jobs that went wrong."""
    wanted = list(dict.fromkeys(finding.job for finding in findings if finding.job))[:_HISTORIES]
    written = read_append_only(folder / "appendonlydir", whole=frozenset(wanted))
    parts: list[str] = []
    for job_id in wanted:
        parts.append(f"\n--- {job_id}: ledger")
        parts += [
            f"{e.at:12.3f} {e.kind:<10} run {e.run} {e.facts}"
            for e in evidence.events
            if _about(e.facts, e.job, job_id)
        ]
        parts.append(f"--- {job_id}: Redis (unix seconds)")
        parts += written[job_id].lines if job_id in written else []
    parts.append("--- faults")
    parts += [f"{e.at:12.3f} {e.kind:<6} {e.facts}" for e in evidence.events if e.kind in ("fault", "over", "killed")]
    return "\n".join(parts)


def _about(facts: dict[str, object], job: str, wanted: str) -> bool:
    return job == wanted or wanted in str(facts.get("jobs", ""))
