"""Text of users and models in logs."""

import json
import logging
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from loresmith.jobs.executor import log_failure
from loresmith.telemetry import configure_logging
from loresmith.telemetry.content import LONGEST_EXCERPT, Content

SECRET = "Kael of the Silver Marsh"


class Piece(BaseModel):
    """An item that a model wrote."""

    age: int


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("level", ["info", "warning", "error"])
@pytest.mark.parametrize("allowed", [False, True])
def test_content_is_in_no_line_above_debug(capsys: pytest.CaptureFixture[str], level: str, allowed: bool) -> None:
    configure_logging("debug", "json", content=allowed)
    getattr(structlog.get_logger(), level)("item_rejected", item=1, content=Content(SECRET))
    [line] = lines(capsys)
    assert line["item"] == 1
    assert SECRET not in str(line)


def test_content_is_shown_at_debug_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for allowed in (False, True):
        configure_logging("debug", "json", content=allowed)
        structlog.get_logger().debug("item_rejected", content=Content(SECRET + "x" * 1000))
        [line] = lines(capsys)
        assert (SECRET in str(line)) is allowed
        assert len(line.get("content", "")) <= LONGEST_EXCERPT + 3


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_bug_of_a_handler_is_logged_without_what_it_quotes(
    capsys: pytest.CaptureFixture[str], log_format: Any
) -> None:
    configure_logging("info", log_format)
    try:
        try:
            Piece.model_validate({"age": SECRET})
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        log_failure(error, {"job_id": "7"})
    printed = capsys.readouterr().err
    assert SECRET not in printed
    for told in ("handler failed", "RuntimeError", "ValidationError", "test_content.py", "job_id"):
        assert told in printed


def test_a_bug_of_a_handler_shows_its_message_where_content_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "json", content=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    log_failure(RuntimeError(SECRET), {"job_id": "7"})
    assert [SECRET in str(line) for line in lines(capsys)] == [False, True]
