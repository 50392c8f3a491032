"""Generates the table of metrics in docs/observability.md (`make gen`); `--check` fails on a difference."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from loresmith.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "observability.md"
BEGIN, END = "<!-- metrics: written by `make gen` -->\n", "<!-- end of metrics -->\n"
WHERE: Final = {
    "queue": "API, worker",
    "jobs": "API, worker",
    "http": "API",
    "models": "lore service",
    "redis": "API, worker",
    "loop": "all",
}


class Noting(CollectorRegistry):
    """A registry that says what was registered."""

    def __init__(self) -> None:
        super().__init__()
        self.collectors: list[Any] = []

    def register(self, collector: Collector) -> None:
        """Note it."""
        self.collectors.append(collector)
        super().register(collector)


def main() -> int:
    """Writes the table, or compares it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    before = TARGET.read_text(encoding="utf-8")
    after = with_table(before)
    if not parser.parse_args().check:
        TARGET.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"the metrics in {TARGET.relative_to(ROOT)} are not what the code says: run `make gen`")
        return 1
    return 0


def with_table(text: str) -> str:
    """Return the page with the table of today's metrics between its two marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    registry = Noting()
    metrics = Metrics(registry=registry)
    table = "| metric | kind | labels | of | what |\n|---|---|---|---|---|\n"
    for group, where in WHERE.items():
        known = len(registry.collectors)
        getattr(metrics, group)
        table += "".join(row for one in registry.collectors[known:] for row in rows(one, where))
    return f"{head}{BEGIN}{table}{END}{tail}"


def rows(collector: Any, where: str) -> Iterator[str]:
    """Return the lines of what one collector exports."""
    for family in collector.describe():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        named: Sequence[str] = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
        labels = ", ".join(named)
        yield f"| `{name}` | {family.type} | {labels} | {where} | {family.documentation} |\n"


if __name__ == "__main__":
    sys.exit(main())
