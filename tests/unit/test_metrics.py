"""Metrics: a registry for each process, labels of which there are never too many, and what a log line is about."""

import asyncio
import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families

from loresmith.telemetry.families import MOST_CHILDREN, Family
from loresmith.telemetry.loop_lag import watching_loop
from loresmith.telemetry.metrics import Metrics
from loresmith.telemetry.queue_metrics import QueueCounts
from loresmith.telemetry.subject import set_subject
from tests.waiting import wait_until

COUNTS = QueueCounts("default", {"high": 0, "normal": 3, "low": 0}, 1.5, 2, 0, 5, False, 1, 8)


def samples(metrics: Metrics) -> dict[str, float]:
    """Name and labels of each sample, as they are written."""
    families = text_string_to_metric_families(metrics.page("")[0].decode())
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_metric_has_a_bounded_number_of_children() -> None:
    registry = CollectorRegistry()
    family = Family(Counter("made_up", "", ("name",), registry=registry))
    for number in range(MOST_CHILDREN + 50):
        family.of(f"name {number}").inc()
    family.of("name 0").inc()
    assert registry.get_sample_value("made_up_total", {"name": "name 0"}) == 2
    assert registry.get_sample_value("made_up_total", {"name": "other"}) == 50
    [made_up] = registry.collect()
    assert sum(sample.name == "made_up_total" for sample in made_up.samples) == MOST_CHILDREN + 1


@given(st.lists(st.tuples(st.sampled_from(("/a", "/b")), st.sampled_from((200, 404)), st.floats(0, 10)), max_size=30))
def test_requests_are_counted_as_the_library_would(answers: list[tuple[str, int, float]]) -> None:
    """They are added to plain numbers; what is shown of them must be the same, bounds included."""
    ours, theirs = Metrics(), CollectorRegistry()
    bounds = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
    counter = Counter("loresmith_http_requests", "", ("method", "route", "status"), registry=theirs)
    histogram = Histogram("loresmith_http_request_seconds", "", ("method", "route"), buckets=bounds, registry=theirs)
    for route, status, seconds in [*answers, *(("/a", 200, bound) for bound in bounds)]:
        ours.http.answered("GET", route, status, seconds)
        counter.labels("GET", route, str(status)).inc()
        histogram.labels("GET", route).observe(seconds)
    expected = Metrics(registry=theirs)
    shown = {name: value for name, value in samples(ours).items() if "http" in name}
    assert shown == pytest.approx({name: value for name, value in samples(expected).items() if "http" in name})


def test_routes_beyond_the_bound_count_as_others() -> None:
    metrics = Metrics()
    for number in range(MOST_CHILDREN + 50):
        metrics.http.answered("GET", f"/{number}", 200, 0.1)
    found = samples(metrics)
    assert found["loresmith_http_requests_total method=other route=other status=200"] == 50
    assert sum(name.startswith("loresmith_http_requests_total") for name in found) == MOST_CHILDREN + 1


def test_two_processes_in_one_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.jobs.submitted("a")
    assert samples(one)["loresmith_jobs_submitted_total type=a"] == 1
    assert not [name for name in samples(other) if name.startswith("loresmith_jobs")]


def test_a_queue_that_cannot_be_counted_shows_no_old_count() -> None:
    metrics = Metrics()
    metrics.queue.show(COUNTS)
    assert samples(metrics)["loresmith_queue_jobs_waiting priority=normal queue=default"] == 3
    assert samples(metrics)["loresmith_queue_oldest_waiting_seconds queue=default"] == 1.5
    metrics.queue.show(None)
    assert not [name for name in samples(metrics) if name.startswith("loresmith_queue")]


def test_prometheus_gets_the_format_that_it_asks_for() -> None:
    body, media_type = Metrics().page("application/openmetrics-text; version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert Metrics().page("*/*")[1].startswith("text/plain")


async def test_a_handler_that_does_not_yield_is_seen_in_the_lag() -> None:
    metrics = Metrics()
    async with watching_loop(metrics.loop):
        await asyncio.sleep(0)
        _block(0.4)
        await wait_until(lambda: samples(metrics)["loresmith_event_loop_lag_seconds_count"])
    assert samples(metrics)["loresmith_event_loop_lag_seconds_sum"] > 0.1


def _block(seconds: float) -> None:
    import time

    time.sleep(seconds)


async def test_a_line_says_what_its_task_works_on_unless_it_is_about_another_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from loresmith.telemetry import configure_logging

    configure_logging("info", "json")
    log = structlog.get_logger()

    async def work() -> None:
        set_subject(lambda: {"job_id": "1", "type": "a", "attempt": 2})
        log.info("mine")
        log.info("known better", type="b")
        log.info("of another", job_id="2")

    await asyncio.create_task(work())
    log.info("of nobody")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [(line["event"], line.get("job_id"), line.get("type"), line.get("attempt")) for line in lines]
    assert told == [
        ("mine", "1", "a", 2),
        ("known better", "1", "b", 2),
        ("of another", "2", None, None),
        ("of nobody", None, None, None),
    ]
