"""What three processes tell of two jobs: metrics and the alerts on them, one trace, log lines, and what is missing."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from loresmith.jobs import owner_digest
from tests.e2e.conftest import Process, ProcessOf, Run, free_port, is_ready
from tests.e2e.otlp import Received, Receiver, receiving
from tests.waiting import wait_until

ALERTS = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yaml"
THEME = "zyzzyva-theme"
"""A word that is in the payload and in the prompts, and nowhere else."""
REQUEST_ID = "test-request.1"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OF_OTHERS = {"up"}
"""What Prometheus itself says."""


@dataclass
class Told:
    """All of it."""

    job_id: str
    scrapes: Mapping[str, str]
    healths: Mapping[str, int]
    ready: Mapping[str, int]
    without_lore: httpx2.Response
    alive_without_lore: int
    receiver: Receiver
    logs: Mapping[str, list[dict[str, Any]]]

    @property
    def spans(self) -> list[Received]:
        return self.receiver.trace_with(self.job_id)

    def samples(self, process: str) -> set[str]:
        families = text_string_to_metric_families(self.scrapes[process])
        return {sample.name for family in families for sample in family.samples}


async def test_three_processes_are_watched(
    redis_server: str, short_tmp: Path, forked: ProcessOf, subtests: pytest.Subtests
) -> None:
    """One test of many checks: the processes are started once, whatever the number of test runners."""
    with receiving() as receiver:
        told = await _tell(forked, redis_server, short_tmp / "data", receiver)
        for check in CHECKS:
            with subtests.test(check.__name__):
                check(told)


async def _tell(of: ProcessOf, redis_url: str, data_dir: Path, receiver: Receiver) -> Told:
    ports = {name: free_port() for name in ("serve", "worker", "lore")}
    lore = f"127.0.0.1:{free_port()}"
    shared = {"redis_url": redis_url, "lore_url": lore, "lore_listen": lore, "log_format": "json"}
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)
            )
            for name, port in ports.items()
        }
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        started: dict[str, Process] = {}
        for name, port in ports.items():
            own = {"port": str(port)} if name == "serve" else {"metrics_listen": f"127.0.0.1:{port}"}
            started[name] = await stack.enter_async_context(of(data_dir, name, **shared, **own))
        for name, client in clients.items():
            await wait_until(lambda n=name, c=client: is_ready(started[n], c), seconds=100)
        run = Run(started["serve"], clients["serve"])
        job_id = await _submit(run)
        assert (await run.ended(job_id, seconds=60))["status"] == "completed"
        await run.submit_type("generate_characters", {"theme": "fantasy", "count": 1})
        await wait_until(lambda: _shows(clients["worker"], "loresmith_jobs_ended_total{"), seconds=30)
        scrapes = {name: (await client.get("/metrics")).text for name, client in clients.items()}
        healths = {name: (await client.get("/healthz")).status_code for name, client in clients.items()}
        ready = {name: (await client.get("/readyz")).status_code for name, client in clients.items()}
        logs = {"lore": await _ended(started["lore"])}
        alone = await wait_until(lambda: _not_ready(clients["worker"]), seconds=30)
        alive = (await clients["worker"].get("/healthz")).status_code
        logs |= {name: await _ended(started[name]) for name in ("serve", "worker")}
        assert alone is not None
        return Told(job_id, scrapes, healths, ready, alone, alive, receiver, logs)


async def _submit(run: Run) -> str:
    headers = {"X-Request-ID": REQUEST_ID, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    body = {"type": "generate_characters", "payload": {"theme": THEME, "count": 2}}
    answer = await run.http.post("/jobs", json=body, headers=headers)
    assert answer.headers["x-request-id"] == REQUEST_ID
    return answer.json()["id"]


async def _shows(client: httpx2.AsyncClient, start: str) -> bool:
    return f"\n{start}" in (await client.get("/metrics")).text


async def _not_ready(client: httpx2.AsyncClient) -> httpx2.Response | None:
    answer = await client.get("/readyz")
    return answer if answer.status_code == 503 else None


async def _ended(process: Process) -> list[dict[str, Any]]:
    """Stop a process and return the lines of its log."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(50):
        _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return [json.loads(line) for line in err.decode().splitlines()]


def _named(expression: str) -> set[str]:
    """Return the names of the metrics in a PromQL expression. Raises ValueError where it is none."""
    shown = promql_parser.parse(expression).prettify()
    return set(re.findall(r"\b(?:loresmith|process)_\w+|\bup\b", shown))


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def alerts_are_about_metrics_that_are_there(told: Told) -> None:
    for rule in _rules():
        _check_alert(told, rule)


def _check_alert(told: Told, rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    names = _named(rule["expr"])
    shown = "\n".join(told.scrapes.values())
    families = set(re.findall(r"^# TYPE (\S+) ", shown, re.MULTILINE))
    there = families | {name for process in told.scrapes for name in told.samples(process)} | OF_OTHERS
    assert names
    assert {name.removesuffix("_bucket") if name not in there else name for name in names} <= there


def each_process_has_the_metrics_of_what_it_does(told: Told) -> None:
    every = {"loresmith_build_info", "loresmith_event_loop_lag_seconds_count", "process_resident_memory_bytes"}
    redis = {"loresmith_redis_round_trip_seconds_count", "loresmith_redis_failures_total"}
    queue = {"loresmith_queue_workers", "loresmith_queue_jobs_waiting", "loresmith_queue_oldest_waiting_seconds"}
    api = {"loresmith_http_requests_total", "loresmith_jobs_submitted_total"}
    worker = {"loresmith_jobs_ended_total", "loresmith_jobs_run_seconds_bucket", "loresmith_jobs_wait_seconds_bucket"}
    lore = {"loresmith_model_calls_total", "loresmith_model_tokens_total", "loresmith_model_call_seconds_bucket"}
    assert every | redis | queue | api <= told.samples("serve")
    assert every | redis | queue | worker <= told.samples("worker")
    assert every | lore <= told.samples("lore")


def no_label_names_a_job_an_owner_or_what_somebody_wrote(told: Told) -> None:
    for text in told.scrapes.values():
        assert told.job_id not in text
        assert owner_digest("local") not in text
        assert THEME not in text
        assert REQUEST_ID not in text


def all_live_and_are_ready_and_a_worker_says_what_is_missing(told: Told) -> None:
    assert set(told.healths.values()) == {200}
    assert set(told.ready.values()) == {200}
    assert list(told.without_lore.json()["missing"]) == ["lore_service"]
    assert told.alive_without_lore == 200


def one_trace_goes_from_the_request_to_the_model(told: Told) -> None:
    by_id = {span.span_id: span for span in told.spans}
    [chat, *_] = [span for span in told.spans if span.name == "chat fake"]
    path, at = [chat], chat
    while (parent := by_id.get(at.parent_id)) is not None:
        path.append(at := parent)
    assert [(span.service, span.kind, span.name) for span in reversed(path)] == [
        ("loresmith-api", "server", "POST /jobs"),
        ("loresmith-api", "producer", "send default"),
        ("loresmith-worker", "consumer", "process default"),
        ("loresmith-worker", "client", "loresmith.lore.v1.LoreService/Generate"),
        ("loresmith-lore", "server", "loresmith.lore.v1.LoreService/Generate"),
        ("loresmith-lore", "client", "chat fake"),
    ]
    assert {span.trace_id for span in path} == {TRACE}
    assert path[-1].parent_id == "00f067aa0ba902b7"
    assert not any(span.failed for span in told.spans)


def spans_keep_to_the_conventions(told: Told) -> None:
    of = {span.name: span.attributes for span in told.spans}
    assert of["POST /jobs"]["http.route"] == "/jobs"
    assert of["POST /jobs"]["http.response.status_code"] == 202
    assert of["send default"]["messaging.operation.type"] == "send"
    assert of["process default"]["messaging.message.id"] == told.job_id
    assert of["process default"]["loresmith.job.outcome"] == "completed"
    assert of["loresmith.lore.v1.LoreService/Generate"]["rpc.method"] == "Generate"
    chat = of["chat fake"]
    assert chat["gen_ai.operation.name"] == "chat"
    assert chat["gen_ai.request.model"] == "fake"
    assert chat["gen_ai.usage.input_tokens"] > 0
    assert chat["gen_ai.usage.output_tokens"] > 0


def no_span_has_anything_that_was_written(told: Told) -> None:
    assert told.spans
    assert all(span.events == 0 for span in told.receiver.spans)
    for body in told.receiver.bodies:
        assert THEME.encode() not in body
        assert b"You answer with one JSON object" not in body


def the_lines_of_all_processes_name_job_and_request(told: Told) -> None:
    lines = [line for line in told.logs["lore"] if line["event"] == "generation finished"]
    mine = [line for line in lines if line["job_id"] == told.job_id]
    assert len(mine) >= 2
    for line in mine:
        assert line["request_id"] == REQUEST_ID
        assert line["type"] == "generate_characters"
        assert line["attempt"] == 1
        assert line["owner"] == owner_digest("local")
    assert THEME not in json.dumps(told.logs)


CHECKS = (
    alerts_are_about_metrics_that_are_there,
    each_process_has_the_metrics_of_what_it_does,
    no_label_names_a_job_an_owner_or_what_somebody_wrote,
    all_live_and_are_ready_and_a_worker_says_what_is_missing,
    one_trace_goes_from_the_request_to_the_model,
    spans_keep_to_the_conventions,
    no_span_has_anything_that_was_written,
    the_lines_of_all_processes_name_job_and_request,
)
