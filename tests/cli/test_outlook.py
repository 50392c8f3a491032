"""What is told of a job's time; the web page is tested against the same examples (frontend/tests/wording.test.ts)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loresmith.cli.outlook import outlook
from loresmith.client import Job
from tests.client.documents import job

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "outlook.json").read_text())
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("example", EXAMPLES["eta"], ids=lambda each: each["words"] or "nothing")
def test_the_time_left_is_an_interval_in_words(example: dict[str, Any]) -> None:
    eta = {"seconds": example["high"], "low": example["low"], "high": example["high"]}
    assert outlook(Job.of(job(1, eta=eta)), NOW) == example["words"]


@pytest.mark.parametrize("example", EXAMPLES["queue"], ids=lambda each: each["words"])
def test_a_place_in_the_queue_is_told_with_its_start(example: dict[str, Any]) -> None:
    wait = example["starts_in"]
    start = None if wait is None else (NOW + timedelta(seconds=wait)).isoformat()
    queue = {"position": example["position"], "expected_start": start}
    assert outlook(Job.of(job(1, status="pending", progress=0, queue=queue)), NOW) == example["words"]


def test_nothing_is_told_of_what_nobody_knows_nor_of_what_has_ended() -> None:
    eta = {"seconds": 1.0, "low": 1.0, "high": 1.0}
    for fields in ({}, {"status": "pending"}, {"status": "completed", "eta": eta}, {"status": "failed", "eta": eta}):
        assert outlook(Job.of(job(1, **fields)), NOW) == ""
