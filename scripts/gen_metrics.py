"""Generates the table of metrics in docs/observability.md (`make gen`); `--check` fails on a difference."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from loresmith.telemetry.metrics import Metrics
from scripts.page import ROOT, between, refresh

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
    return refresh(TARGET, with_table, purpose=__doc__, drift="the metrics are not what the code says")


def with_table(text: str) -> str:
    """Return the page with the table of today's metrics between its two marks."""
    registry = Noting()
    metrics = Metrics(registry=registry)
    table = "| metric | kind | labels | of | what |\n|---|---|---|---|---|\n"
    for group, where in WHERE.items():
        known = len(registry.collectors)
        getattr(metrics, group)
        table += "".join(row for one in registry.collectors[known:] for row in rows(one, where))
    return between(BEGIN, table, END, text=text)


def rows(collector: Any, where: str) -> Iterator[str]:
    """Return the lines of what one collector exports."""
    for family in collector.describe():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        named: Sequence[str] = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
        labels = ", ".join(named)
        yield f"| `{name}` | {family.type} | {labels} | {where} | {family.documentation} |\n"


if __name__ == "__main__":
    sys.exit(main())
