"""What a worker and a lore service answer on their own listener."""

import asyncio
from collections.abc import Mapping

import httpx2
import pytest

from loresmith.api.probes import build_probes
from loresmith.jobs import StoreUnavailableError
from loresmith.telemetry.metrics import Metrics
from loresmith.telemetry.queue_metrics import QueueCounts


class Process:
    """A process whose state a test chooses."""

    def __init__(self) -> None:
        self.gone: Mapping[str, str] = {}
        self.why_stuck = ""
        self.away = False
        self.metrics = Metrics()
        self.app = build_probes(self.metrics, missing=self._missing, stuck=lambda: self.why_stuck, counts=self._counts)

    async def get(self, path: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    async def _missing(self) -> Mapping[str, str]:
        return self.gone

    async def _counts(self) -> QueueCounts:
        if self.away:
            raise StoreUnavailableError
        return QueueCounts("default", {"high": 0, "normal": 0, "low": 0}, 0, 0, 0, 0, False, 1, 8)


async def test_what_is_missing_is_named_and_no_reason_to_start_again() -> None:
    process = Process()
    assert (await process.get("/readyz")).json() == {"status": "ready"}
    process.gone = {"redis": "does not answer"}
    answer = await process.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {"redis": "does not answer"}
    assert answer.headers["retry-after"] == "2"
    assert (await process.get("/healthz")).json() == {"status": "ok"}


async def test_a_process_that_only_a_restart_helps_says_so() -> None:
    process = Process()
    process.why_stuck = "has not looked at the queue for 31 s"
    answer = await process.get("/healthz")
    assert (answer.status_code, answer.json()["detail"]) == (503, process.why_stuck)


async def test_checks_that_hang_are_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loresmith.api.probes._PATIENCE_SECONDS", 0.05)

    async def hang() -> Mapping[str, str]:
        await asyncio.Event().wait()
        return {}

    process = Process()
    process.app = build_probes(process.metrics, missing=hang)
    assert list((await process.get("/readyz")).json()["missing"]) == ["checks"]


async def test_metrics_are_there_while_redis_is_away_but_those_of_the_queue() -> None:
    process = Process()
    assert "loresmith_queue_workers" in (await process.get("/metrics")).text
    process.away = True
    text = (await process.get("/metrics")).text
    assert "loresmith_queue" not in text
    assert "loresmith_build_info" in text
