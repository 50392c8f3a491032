"""Traces: nil where nobody asks for them, and no word of a user or a model in them where somebody does."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from loresmith.llm.calling import calling_span, carried
from loresmith.telemetry.discreet import DiscreetExporter
from loresmith.telemetry.otel import OtelTracing
from loresmith.telemetry.process import TracesUnavailableError, telling
from loresmith.telemetry.tracing import is_wanted

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_NOWHERE = "http://127.0.0.1:9"

# redis-py imports the part of the SDK for metrics wherever it is installed.
_OFF = """
import asyncio, sys
import loresmith.bootstrap
from loresmith.telemetry.process import telling

async def main():
    async with telling("loresmith-run", "0") as telemetry:
        assert telemetry.tracing is None
        ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter")
        print([name for name in sys.modules if name.startswith(ours)])

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tracing(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[OtelTracing, InMemorySpanExporter]]:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", _NOWHERE)
    tracing, kept = OtelTracing("loresmith-test", "0"), InMemorySpanExporter()
    tracing.provider._active_span_processor._span_processors = ()  # nothing is sent
    tracing.provider.add_span_processor(SimpleSpanProcessor(DiscreetExporter(kept)))
    yield tracing, kept
    tracing.provider.shutdown()


def test_without_a_receiver_what_makes_and_sends_spans_is_not_even_imported() -> None:
    done = subprocess.run([sys.executable, "-c", _OFF], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": _NOWHERE}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": _NOWHERE}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": _NOWHERE, "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": _NOWHERE, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_say_whether_traces_are_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_wanted() is wanted


async def test_traces_without_their_packages_are_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", _NOWHERE)
    monkeypatch.setitem(sys.modules, "loresmith.telemetry.otel", None)
    with pytest.raises(TracesUnavailableError, match=r"loresmith\[otel\]"):
        async with telling("loresmith-test", "0"):
            pass


def test_a_span_that_fails_says_what_kind_of_error_it_was_and_not_what_it_said(
    tracing: tuple[OtelTracing, InMemorySpanExporter],
) -> None:
    ours, kept = tracing

    def work() -> None:
        with ours.span("work", "server", {"http.route": "/"}, parent=PARENT) as span:
            span.note("prompt", "a secret")
            span._span.add_event("exception", {"exception.message": "a secret"})
            raise ValueError("a secret")

    with pytest.raises(ValueError, match="a secret"):
        work()
    [done] = kept.get_finished_spans()
    assert dict(done.attributes or {}) == {"http.route": "/", "error.type": "ValueError"}
    assert (done.status.is_ok, done.status.description, list(done.events)) == (False, None, [])
    assert "a secret" not in done.to_json()
    assert done.parent is not None
    assert done.parent.span_id == 0x00F067AA0BA902B7


def test_a_call_carries_its_own_span_and_leaves_the_current_one_alone(
    tracing: tuple[OtelTracing, InMemorySpanExporter],
) -> None:
    ours, kept = tracing
    with ours.span("job", "consumer", {}, parent=PARENT) as job:
        with calling_span(ours) as call:
            told = dict(carried(call))
            with ours.span("meanwhile", "client", {}) as other:
                pass
        assert told["traceparent"] != job.traceparent
    spans: dict[str, Any] = {span.name: span for span in kept.get_finished_spans()}
    [called] = [span for span in spans.values() if span.name.endswith("Generate")]
    assert f"{called.context.span_id:016x}" in told["traceparent"]
    assert called.parent.span_id == spans["meanwhile"].parent.span_id == spans["job"].context.span_id
    assert other.traceparent


def test_a_parent_that_is_none_begins_a_trace(tracing: tuple[OtelTracing, InMemorySpanExporter]) -> None:
    ours, kept = tracing
    for parent in ("", None, "garbage", "00-0-0-00"):
        with ours.span("work", "server", {}, parent=parent):
            pass
    assert [span.parent for span in kept.get_finished_spans()] == [None] * 4


async def test_a_receiver_that_is_away_keeps_no_process_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", _NOWHERE)
    async with telling("loresmith-test", "0") as telemetry:
        assert telemetry.tracing is not None
        with telemetry.tracing.span("work", "server", {}):
            await asyncio.sleep(0)
        began = time.monotonic()
    assert time.monotonic() - began < 5
