"""Gauges of a queue as it was counted last."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_WHAT: Final = {
    "jobs_waiting": "Jobs that wait for a worker; not those that an owner's limit holds back",
    "oldest_waiting_seconds": "For how long the job that waits longest has waited since it was due; 0: none waits",
    "jobs_running": "Jobs that workers hold",
    "jobs_scheduled": "Jobs that are not due yet: delayed ones, and those that wait for another try",
    "jobs_open": "Jobs that have not ended",
    "paused": "1 while no jobs are handed out",
    "workers": "Workers that gave a sign of life in the last 30 s",
    "worker_slots": "Jobs that these can run at once",
}


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """What is in a queue, and who works on it."""

    queue: str
    waiting: Mapping[str, int]
    """By priority."""
    oldest_waiting_seconds: float
    running: int
    scheduled: int
    open: int
    paused: bool
    workers: int
    worker_slots: int
    unknown_types: Sequence[str] = ()
    """Job types that are taken and that no running worker knows."""


class QueueMetrics(Collector):
    """The same from every process that counts the queue. Nothing is shown while it cannot be counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: QueueCounts | None = None
        registry.register(self)

    def show(self, counts: QueueCounts | None) -> None:
        """Take in a count; None: there is none now."""
        self._counts = counts

    def describe(self) -> Iterator[Metric]:
        """Name the gauges."""
        yield from (self._family(name) for name in _WHAT)

    def collect(self) -> Iterator[Metric]:
        """Give them their values."""
        counts = self._counts
        if counts is None:
            return
        values = {
            "oldest_waiting_seconds": counts.oldest_waiting_seconds,
            "jobs_running": counts.running,
            "jobs_scheduled": counts.scheduled,
            "jobs_open": counts.open,
            "paused": float(counts.paused),
            "workers": counts.workers,
            "worker_slots": counts.worker_slots,
        }
        waiting = self._family("jobs_waiting")
        for priority, count in counts.waiting.items():
            waiting.add_metric([counts.queue, priority], count)
        yield waiting
        for name, value in values.items():
            family = self._family(name)
            family.add_metric([counts.queue], value)
            yield family

    def _family(self, name: str) -> GaugeMetricFamily:
        labels = ["queue", "priority"] if name == "jobs_waiting" else ["queue"]
        return GaugeMetricFamily(f"loresmith_queue_{name}", _WHAT[name], labels=labels)
