"""What the command line shows of jobs is readable without colour, without a terminal and at 80 columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loresmith.cli.jobs import age
from loresmith.cli.remote import print_table
from loresmith.cli.show import JobView, job_lines
from loresmith.client import Job, Update
from tests.client.documents import job


def seen(seq: int, *items: object, **fields: object) -> Update:
    return Update(Job.of(job(seq, **fields)), items)


def test_without_a_terminal_each_stage_and_each_item_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    eta = {"seconds": 20.0, "low": 14.2, "high": 29.0}
    with JobView("play") as view:
        view.show(seen(1, message="Preparing...", progress=0))
        view.show(seen(2, message="Writing...", progress=20, eta=eta))
        view.show(seen(3, {"name": "[red]Anna"}, message="Writing...", progress=25, eta=eta))
        view.show(seen(4, {"name": "[red]Anna"}, {"text": "a verse"}, message="Writing...", progress=45, eta=None))
        view.show(seen(5, message="Done", status="completed"))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "  0 %  Preparing...",
        " 20 %  Writing...  (about 10 to 30 s left)",
        "       + [red]Anna",
        " 45 %  Writing...",
        "       + [red]Anna",
        "       + a verse",
        "100 %  Done",
    ]


def test_a_job_that_waits_shows_its_place_and_when_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=130)).isoformat()
    queue = {"position": 3, "expected_start": soon}
    with JobView("play") as view:
        view.show(seen(1, message="Preparing...", progress=0, status="pending", state="queued", queue=queue))
    assert capsys.readouterr().out == "  0 %  Preparing...  (third in the queue, starts in about 2 min)\n"
    waiting = Job.of(job(1, status="pending", state="queued", progress=0, queue=queue))
    assert "state      queued, 0 %, third in the queue, starts in about 2 min" in job_lines(waiting)


def test_a_job_is_shown_within_80_columns() -> None:
    shown = job_lines(
        Job.of(
            job(
                9,
                status="failed",
                state="failed",
                error="the model " * 20,
                error_detail={"code": "output_invalid"},
                attempt=2,
                max_attempts=3,
                tags=["a"],
                usage={"input_tokens": 5, "output_tokens": 6, "cost_usd": 0.5, "model": "m"},
                payload={"theme": "fantasy"},
                completed_at="2026-11-24T12:00:01Z",
            )
        )
    )
    text = "\n".join(shown)
    assert max(map(len, shown)) <= 80
    for expected in (
        "output_invalid",
        "2 of 3",
        "m: 5 tokens read, 6 written, $0.5000",
        '{"theme": "fantasy"}',
        "ended",
    ):
        assert expected in text


def test_a_table_keeps_ids_whole_and_cuts_only_the_last_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    print_table(("JOB", "WHAT"), [("0" * 36, "word " * 20), ("1", "x")])
    lines = capsys.readouterr().out.splitlines()
    assert [len(line) for line in lines[:2]] == [41, 60]
    assert lines[1].startswith("0" * 36 + " word")
    assert lines[1].endswith("…")
    assert lines[2] == "1" + " " * 36 + "x"


def test_an_age_is_told_in_its_largest_unit() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for seconds, words in ((-5, "0 s"), (59, "59 s"), (119, "1 min"), (7200, "2 h"), (86_400 * 3, "3 d")):
        assert age(now - timedelta(seconds=seconds), now) == words
