"""Counters and histograms of a process, by what they are about. Their labels never hold an id, an owner or a path."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from loresmith.telemetry.families import MOST_CHILDREN, OTHER, Family

_JOB_SECONDS: Final = (0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_WAIT_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 900, 3600)
_SHORT_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_CALL_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 90)
_MOST_HISTOGRAMS: Final = 100


class JobMetrics:
    """What became of the jobs that this process submitted or ran."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._submitted = Family(_counter(registry, "jobs_submitted", "Jobs that this process created", "type"))
        self._ended = Family(_counter(registry, "jobs_ended", "Jobs that this process ended", "type", "status", "code"))
        self._again = Family(
            _counter(registry, "jobs_retries", "Attempts that failed and are tried again", "type", "code")
        )
        self._waits = Family(
            _counter(registry, "jobs_waits", "Waits for what is away, which cost no attempt", "type", "code")
        )
        self._rescued = _counter(registry, "jobs_rescued", "Jobs taken over from a worker that fell silent")
        self._refused = _counter(
            registry, "jobs_stale_writes_refused", "Writes of a worker whose lease was another's by then"
        )
        self._run = Family(
            _histogram(registry, "jobs_run_seconds", "From first start to end", _JOB_SECONDS, "type", "status"),
            most=_MOST_HISTOGRAMS,
        )
        self._wait = Family(
            _histogram(registry, "jobs_wait_seconds", "From when a job was due to its start", _WAIT_SECONDS, "type"),
            most=_MOST_HISTOGRAMS,
        )

    def submitted(self, job_type: str) -> None:
        """Count a job that was created."""
        self._submitted.of(job_type).inc()

    def started(self, job_type: str, *, waited_seconds: float) -> None:
        """Count the first start of a job."""
        self._wait.of(job_type).observe(waited_seconds)

    def ended(self, job_type: str, status: str, code: str, *, run_seconds: float | None) -> None:
        """Count the end of a job: `code` says why it failed; without seconds, it never ran."""
        self._ended.of(job_type, status, code).inc()
        if run_seconds is not None:
            self._run.of(job_type, status).observe(run_seconds)

    def tried_again(self, job_type: str, code: str) -> None:
        """Count an attempt that failed for now."""
        self._again.of(job_type, code).inc()

    def waits(self, job_type: str, code: str) -> None:
        """Count a try that found away what the job needs."""
        self._waits.of(job_type, code).inc()

    def rescued(self) -> None:
        """Count a job that was taken over."""
        self._rescued.inc()

    def write_refused(self) -> None:
        """Count a write that came too late."""
        self._refused.inc()


class RedisMetrics:
    """Round trips to Redis, each with all commands of a turn of the event loop."""

    def __init__(self, registry: CollectorRegistry) -> None:
        what = "A round trip to Redis, as this process sees it: waiting for the network and for the event loop included"
        self._trip = _histogram(registry, "redis_round_trip_seconds", what, _SHORT_SECONDS)
        self._failures = _counter(registry, "redis_failures", "Round trips that Redis did not answer")

    def took(self, seconds: float) -> None:
        """Take in a round trip."""
        self._trip.observe(seconds)

    def failed(self) -> None:
        """Count one that was not answered."""
        self._failures.inc()


class LoopMetrics:
    """How late the event loop comes to what is due."""

    def __init__(self, registry: CollectorRegistry) -> None:
        what = "How late a timer of the event loop came; long: something does not yield"
        self._lag = _histogram(registry, "event_loop_lag_seconds", what, _SHORT_SECONDS)

    def late(self, seconds: float) -> None:
        """Take in how late a timer came."""
        self._lag.observe(seconds)


class HttpMetrics(Collector):
    """Requests by method, template of the route and status.

    Every request is counted, so that counting must cost next to nothing: one event loop adds to plain numbers, which
    become metrics when they are read.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: dict[tuple[str, str, int], _Times] = {}
        registry.register(self)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        times = self._counts.get((method, route, status)) or self._new(method, route, status)
        times.total += seconds
        times.counts[bisect_left(_SHORT_SECONDS, seconds)] += 1

    def _new(self, method: str, route: str, status: int) -> "_Times":
        asked = (method, route, status) if len(self._counts) < MOST_CHILDREN else (OTHER, OTHER, status // 100 * 100)
        return self._counts.setdefault(asked, _Times())

    def describe(self) -> Iterator[Metric]:
        """Name the metrics."""
        yield from self._families()

    def collect(self) -> Iterator[Metric]:
        """Give them their values."""
        requests, seconds = self._families()
        routes: dict[tuple[str, str], _Times] = {}
        for (method, route, status), times in self._counts.items():
            requests.add_metric([method, route, str(status)], sum(times.counts))
            routes.setdefault((method, route), _Times()).add(times)
        for labels, times in routes.items():
            seconds.add_metric(labels, times.buckets(), times.total)
        yield requests
        yield seconds

    def _families(self) -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        labels = ("method", "route", "status")
        return (
            CounterMetricFamily("loresmith_http_requests", "Requests that were answered", labels=labels),
            HistogramMetricFamily("loresmith_http_request_seconds", "Until the answer began", labels=labels[:2]),
        )


class _Times:
    """How many took up to each of the bounds, and what they took together."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_SHORT_SECONDS) + 1)
        self.total = 0.0

    def add(self, other: "_Times") -> None:
        """Take in those of another."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def buckets(self) -> list[tuple[str, float]]:
        """Return them as Prometheus has them: each with those below it."""
        bounds = [*(str(float(bound)) for bound in _SHORT_SECONDS), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


class ModelMetrics:
    """Calls of this lore service to models, and what they used."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Family(_counter(registry, "model_calls", "Calls to the lore service by outcome", "model", "code"))
        self._seconds = Family(
            _histogram(registry, "model_call_seconds", "A call, from its arrival to its end", _CALL_SECONDS, "model"),
            most=_MOST_HISTOGRAMS,
        )
        self._tokens = Family(
            _counter(registry, "model_tokens", "Tokens that models read and wrote", "model", "direction")
        )
        self._cost = Family(_counter(registry, "model_cost_usd", "What they cost, where the price is known", "model"))

    def called(self, model: str, code: str, seconds: float) -> None:
        """Count a call that ended; `code` is 'ok', or why it failed."""
        self._calls.of(model, code).inc()
        self._seconds.of(model).observe(seconds)

    def used(self, model: str, input_tokens: int, output_tokens: int, cost_usd: float | None) -> None:
        """Count what one request to a model used."""
        self._tokens.of(model, "input").inc(input_tokens)
        self._tokens.of(model, "output").inc(output_tokens)
        if cost_usd:
            self._cost.of(model).inc(cost_usd)


def _counter(registry: CollectorRegistry, name: str, what: str, *labels: str) -> Counter:
    return Counter(f"loresmith_{name}", what, labels, registry=registry)


def _histogram(registry: CollectorRegistry, name: str, what: str, buckets: Sequence[float], *labels: str) -> Histogram:
    return Histogram(f"loresmith_{name}", what, labels, buckets=buckets, registry=registry)
