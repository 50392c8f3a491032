"""The tables of a soak: what happened, and which figures stayed flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.soak.evidence import Judged
from tests.soak.flat import Verdict
from tests.soak.samples import Sample

_WIDTH = 52


def happenings(judged: Judged, samples: Sequence[Sample], *, streams: int, looks: int, head: str) -> str:
    """Return what happened as a Markdown table."""
    states = Counter(job.state.value for job in judged.documents.values())
    kinds = Counter(event.kind for event in judged.events)
    sorts = Counter(finding.sort for finding in judged.findings)
    types = Counter(job.type for job in judged.documents.values())
    flying = [sample.figures["jobs in flight"] for sample in samples[len(samples) // 2 :]]
    rows: Iterator[tuple[str, object]] = iter(
        (
            ("jobs in flight, second half", f"{min(flying):.0f} to {max(flying):.0f}"),
            ("jobs accepted", kinds["accepted"]),
            *((f"of them {name}", count) for name, count in sorted(types.items())),
            *((f"ended {name}", states[name]) for name in ("completed", "failed", "cancelled")),
            ("cancels asked for", kinds["cancel"]),
            ("retries by the user", sum(1 for one in judged.documents.values() if one.retry_of)),
            ("submissions repeated under their key", kinds["key"]),
            ("event streams opened and left", streams),
            ("looks of a client", looks),
            ("workers told to stop", kinds["drained"]),
            ("workers killed with -9", kinds["killed"]),
            ("jobs taken over from a dead worker", sum(job.rescues for job in judged.documents.values())),
            ("lost", sorts["lost"]),
            ("doubled", sorts["doubled"]),
            ("other promises broken", sorts["broken"] + sorts["regenerated"]),
        )
    )
    lines = [f"| {head:<{_WIDTH}} | {'':>14} |", f"|{'-' * (_WIDTH + 2)}|{'-' * 15}:|"]
    return "\n".join(lines + [f"| {name:<{_WIDTH}} | {value!s:>14} |" for name, value in rows])


def figures(found: Sequence[Verdict]) -> str:
    """Return the figures as a Markdown table, each with what it grows by in an hour."""
    head = f"| {'figure':<{_WIDTH}} |    first |   median |     last | {'growth an hour (95 %)':>28} |"
    head += " flat is up to | flat |"
    lines = [head, f"|{'-' * (_WIDTH + 2)}|" + "---------:|" * 3 + f"{'-' * 29}:|-------------:|------|"]
    for one in found:
        growth = f"{_short(one.growth)} ({_short(one.low)} to {_short(one.high)})"
        answer = "" if not one.is_judged else "yes" if one.is_flat else "NO"
        cells = f"{_short(one.first):>8} | {_short(one.median):>8} | {_short(one.last):>8} | {growth:>28}"
        lines.append(f"| {one.name:<{_WIDTH}} | {cells} | {_allowed(one):>13} | {answer:<4} |")
    return "\n".join(lines)


def _allowed(one: Verdict) -> str:
    if one.ceiling is not None:
        return f"{_short(one.ceiling)} in all"
    return "" if one.allowed is None else _short(one.allowed)


def _short(number: float) -> str:
    return f"{number:.1f}" if abs(number) < 1000 and number != int(number) else f"{number:.0f}"
