"""The tables of a benchmark, in Markdown."""

from collections.abc import Iterator
from typing import Any

PEER_LIMIT_SECONDS = 60
Result = dict[str, Any]


def tables(result: Result) -> Iterator[str]:
    """Yield the lines of all tables that there are figures for."""
    facts = result["machine"]
    yield f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}, {facts['server']}"
    yield f"load at the start {facts['load_at_start']}; {'one quick run each' if result['quick'] else 'medians of 3'}"
    found: dict[str, dict[str, Any]] = result["found"]
    if "together" in found:
        yield from _throughput(result, found)
    if "latency" in found:
        yield from _table("Pickup latency at 20 jobs/s, ms", found["latency"], {"p50_ms": 1, "p99_ms": 1})
    for name in sorted((key for key in found if key.startswith("flight_")), key=lambda key: int(key[7:])):
        title = f"{int(name[7:]):,} jobs in flight for 10 s, progress twice a second"
        yield from _table(title, found[name], {"cpu_seconds": 2, "kb_per_job": 1, "total_seconds": 2})
    if "recovery" in found:
        yield from _table("50 jobs of 8 s done again after kill -9, s", found["recovery"], {"seconds": 1})
    yield ""
    yield "Versions: " + "; ".join(
        f"{system}: " + ", ".join(f"{package} {version}" for package, version in packages.items())
        for system, packages in facts["versions"].items()
    )


def _throughput(result: Result, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    columns = {"together": "together", "filled": "queue filled before", "append_only": "together, append-only file"}
    yield ""
    yield f"### {result['jobs']:,} no-op jobs, jobs/s"
    yield ""
    yield "| system | " + " | ".join(columns.values()) + " | of the floor | results lost |"
    yield "|---|" + "--:|" * (len(columns) + 2)
    floor = _figure(found["together"].get("floor"), "jobs_per_second")
    for system in found["together"]:
        cells = [_cell(found.get(name, {}).get(system), "jobs_per_second", 0) for name in columns]
        rate = _figure(found["together"][system], "jobs_per_second")
        share = f"{rate / floor:.0%}" if rate and floor else ""
        lost = sum(_most(found.get(name, {}).get(system), "without_result") for name in columns)
        yield f"| {system} | {' | '.join(cells)} | {share} | {lost:.0f} |"


def _table(title: str, figures: dict[str, Any], columns: dict[str, int]) -> Iterator[str]:
    yield ""
    yield f"### {title}"
    yield ""
    yield "| system | " + " | ".join(name.replace("_", " ") for name in columns) + " |"
    yield "|---|" + "--:|" * len(columns)
    for system, measured in figures.items():
        yield f"| {system} | {' | '.join(_cell(measured, name, digits) for name, digits in columns.items())} |"


def _cell(measured: Any, name: str, digits: int) -> str:
    if not measured:
        return ""
    if "failed" in measured:
        return "failed"
    value = measured["median"][name]
    return f"> {PEER_LIMIT_SECONDS}" if value is None else f"{value:,.{digits}f}"


def _figure(measured: Any, name: str) -> float | None:
    return measured["median"][name] if measured and "median" in measured else None


def _most(measured: Any, name: str) -> float:
    return max((run[name] or 0 for run in measured["runs"]), default=0) if measured and "runs" in measured else 0
