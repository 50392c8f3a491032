"""Counters and histograms of a process, by what they are about. Their labels never hold an id, an owner or a path."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from loresmith.telemetry.families import MOST_CHILDREN, Family

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


class HttpMetrics:
    """Requests by method, template of the route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Family(_counter(registry, "http_requests", "Requests that were answered", *labels))
        self._seconds = Family(
            _histogram(registry, "http_request_seconds", "Until the answer began", _SHORT_SECONDS, "method", "route"),
            most=_MOST_HISTOGRAMS,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        asked = (method, route, status)
        counters = self._known.get(asked) or self._of(asked)
        counters[0].inc()
        counters[1].observe(seconds)

    def _of(self, asked: tuple[str, str, int]) -> tuple[Counter, Histogram]:
        method, route, status = asked
        found = self._requests.of(method, route, str(status)), self._seconds.of(method, route)
        if len(self._known) < MOST_CHILDREN:
            self._known[asked] = found
        return found


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
