"""The tables at the end of a run: the faults, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tests.chaos.checks import Finding
from tests.hosts.evidence import SiteEvidence, by_job
from tests.hosts.plan import Plan


def tables(evidence: SiteEvidence, findings: list[Finding], plan: Plan, seconds: Mapping[str, float]) -> str:
    """Return both as Markdown."""
    head = ("fault", "lasted, s", "taken over after, s", "longest submit, s", "longest read, s")
    counts = [*_machines(plan, seconds), *_jobs(evidence), *_verdict(evidence, findings)]
    return f"{_table(head, _faults(evidence))}\n{_table(('count', ''), counts)}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(text[column]) for text in texts) for column in range(len(texts[0]))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in texts]
    rule = "-|-".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(f"| {line} |" for line in (lines[0], rule, *lines[1:])) + "\n"


def _faults(evidence: SiteEvidence) -> Iterator[tuple[object, ...]]:
    """Each fault with the slowest answers among the requests that were under way in it."""
    over = {event.facts["what"]: event for event in evidence.of("over")}
    taken = {event.facts["what"]: event.facts["seconds"] for event in evidence.of("taken_over")}
    yield "none, before the first fault", "", "", *_slowest(evidence, 0.0, evidence.of("fault")[0].at)
    for begin in evidence.of("fault"):
        what = begin.facts["what"]
        lasted, until = over[what].facts["seconds"], over[what].at
        yield what, f"{lasted:.1f}", _seconds(taken.get(what)), *_slowest(evidence, begin.at, until)


def _slowest(evidence: SiteEvidence, begin: float, end: float) -> Iterator[str]:
    for act in ("submit", "read"):
        under_way = [took for began, took in evidence.served(act) if began < end and began + took > begin]
        yield _seconds(max(under_way, default=None))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _machines(plan: Plan, seconds: Mapping[str, float]) -> Iterator[tuple[str, object]]:
    yield "hosts", len(plan.addresses)
    yield "clients", plan.clients
    for name, value in seconds.items():
        yield f"{name}, seconds", f"{value:.0f}"


def _jobs(evidence: SiteEvidence) -> Iterator[tuple[str, object]]:
    accepted = [evidence.left.documents.get(job_id) for job_id in evidence.accepted]
    states = Counter(job.state.value for job in accepted if job is not None and job.done)
    yield "jobs accepted", len(accepted)
    yield "jobs ended", states.total()
    for state in ("completed", "cancelled", "failed"):
        yield f"  of them {state}", states[state]
    yield "worlds saved", len(evidence.worlds)
    yield "requests answered", len(evidence.of("served"))
    yield "requests that had to be made again", sum(1 for event in evidence.of("served") if event.facts["tries"] > 1)
    yield "event streams followed to the end", len(evidence.of("listened"))
    yield "event streams lost", len(evidence.of("stream_lost"))
    yield "rescues", sum(job.rescues for job in evidence.left.documents.values())
    yield "second and third attempts", sum(max(0, job.attempt - 1) for job in evidence.left.documents.values())


def _verdict(evidence: SiteEvidence, findings: list[Finding]) -> Iterator[tuple[str, object]]:
    yield "calls of models answered, but for paragraphs", sum(evidence.answered.values())
    yield "  of them paid twice: lost with their host before they were saved", sum(by_job(evidence.answered).values())
    sorts = Counter(finding.sort for finding in findings)
    for sort, name in (
        ("lost", "lost"),
        ("doubled", "doubled results or worlds"),
        ("regenerated", "made again without a loss"),
        ("broken", "other promises broken"),
    ):
        yield name, sorts[sort]
