"""Logs: one line per event, and no variable of a frame in a trace."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from loresmith.telemetry import configure_logging


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_trace_shows_no_local_variable(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logging("info", log_format)  # pyright: ignore[reportArgumentType]
    key = "sk-" + "hush"
    try:
        raise ValueError(len(key))
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("elsewhere").exception("failed too")
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "sk-hush" not in written


def test_both_kinds_of_logger_write_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    structlog.get_logger().info("ours", job_id="7")
    structlog.get_logger().debug("too fine")
    logging.getLogger("theirs").warning("of %s", "theirs")
    logging.getLogger("uvicorn.access").info("too chatty")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("ours", "info"), ("of theirs", "warning")]
    assert lines[0]["job_id"] == "7"
    assert all(line["timestamp"].endswith("Z") for line in lines)
