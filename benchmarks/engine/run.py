"""Measures the job engine beside its floor and its peers, each on an empty Valkey of its own.

    python benchmarks/engine/run.py [--quick] [--only loresmith,SAQ] [--measure throughput,recovery] [--page]

Prints tables in Markdown and writes JSON. Figures are medians of several runs; `--quick` runs each once and smaller.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import scenarios
from environments import python_of, versions
from report import tables
from systems import SYSTEMS, System

MEASURES: Final = ("throughput", "latency", "flight", "recovery")
RESULTS: Final = Path(__file__).parent / ".cache" / "results.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "benchmarks.md"

Figures = dict[str, Any]
Once = Callable[[], Mapping[str, float | None]]


@dataclass
class Plan:
    """How much is measured, and what came out: measure → system → figures."""

    quick: bool
    found: dict[str, dict[str, Figures]] = field(default_factory=dict[str, dict[str, Figures]])

    @property
    def jobs(self) -> int:
        """No-op jobs of a throughput run."""
        return 2_000 if self.quick else 10_000

    def measure(
        self, name: str, system: System, once: Callable[[], Mapping[str, float | None]], *, runs: int = 3
    ) -> None:
        """Take the median of several runs; a system that fails is reported, and the others go on."""
        print(f"{name}: {system.name}", file=sys.stderr, flush=True)
        try:
            taken = [once() for _ in range(1 if self.quick else runs)]
        except Exception as error:
            traceback.print_exc()
            self.found.setdefault(name, {})[system.name] = {"failed": str(error)}
            return
        self.found.setdefault(name, {})[system.name] = {
            "median": {key: _median([run[key] for run in taken]) for key in taken[0]},
            "runs": taken,
        }


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one small run of each: to see that it works")
    parser.add_argument("--only", default="", help=f"systems, of {', '.join(one.name for one in SYSTEMS)}")
    parser.add_argument("--measure", default="", help=f"measures, of {', '.join(MEASURES)}")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures are written")
    parser.add_argument("--page", action="store_true", help="write the tables into docs/benchmarks.md too")
    arguments = parser.parse_args()
    only = [name.lower() for name in str(arguments.only).split(",") if name]
    systems = [one for one in SYSTEMS if not only or one.name.lower() in only]
    wanted = [name for name in str(arguments.measure).split(",") if name] or list(MEASURES)
    plan = Plan(arguments.quick)
    facts = machine(systems)
    for name in MEASURES:
        if name in wanted:
            {"throughput": throughput, "latency": latency, "flight": flight, "recovery": recovery}[name](plan, systems)
    result = {"machine": facts, "quick": plan.quick, "jobs": plan.jobs, "found": plan.found}
    arguments.json.parent.mkdir(exist_ok=True)
    arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = "\n".join(tables(result))
    print(text)
    if arguments.page:
        write_page(text)
    return 0


def write_page(text: str) -> None:
    """Put the tables where the page has room for them."""
    before, mark, rest = PAGE.read_text(encoding="utf-8").partition("<!-- figures -->\n")
    after = rest[rest.index("<!-- end of figures -->") :]
    PAGE.write_text(f"{before}{mark}{text}\n{after}", encoding="utf-8")


def throughput(plan: Plan, systems: list[System]) -> None:
    """(a) no-op jobs per second; by turns, so that what the machine does meanwhile meets all alike."""
    for one in systems:
        plan.measure("together", one, lambda s=one: scenarios.throughput(s, plan.jobs, filled=False))
        plan.measure("filled", one, lambda s=one: scenarios.throughput(s, plan.jobs, filled=True))
        plan.measure(
            "append_only", one, lambda s=one: scenarios.throughput(s, plan.jobs, filled=False, append_only=True)
        )


def latency(plan: Plan, systems: list[System]) -> None:
    """(b) milliseconds until a job is picked up."""
    for one in systems:
        plan.measure("latency", one, lambda s=one: scenarios.latency(s, 5 if plan.quick else 30))


def flight(plan: Plan, systems: list[System]) -> None:
    """(c) jobs in flight with progress."""
    for jobs in (200,) if plan.quick else (1_000, 5_000):
        for one in systems:
            if one.progress:
                plan.measure(f"flight_{jobs}", one, lambda s=one, n=jobs: scenarios.in_flight(s, n))


def recovery(plan: Plan, systems: list[System]) -> None:
    """(d) seconds after `kill -9`."""
    for one in systems:
        if one.holds:
            runs = 3 if one.name == "loresmith" else 1
            plan.measure("recovery", one, lambda s=one: scenarios.recovery(s), runs=runs)


def machine(systems: list[System]) -> Figures:
    """Say on what all this was measured."""
    with scenarios.bench(SYSTEMS[0]) as bench:
        server = bench.server.version
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "server": server,
        "versions": {one.name: versions(python_of(one.environment), *one.packages) for one in systems},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if len(known) == len(values) else None


if __name__ == "__main__":
    sys.exit(main())
