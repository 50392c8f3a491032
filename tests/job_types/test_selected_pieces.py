"""Selected settings and events in a payload: both spellings, bounds and clean text."""

from typing import Any

import pytest
from pydantic import ValidationError

from loresmith.job_types.generate_events import GenerateEvents
from loresmith.job_types.generate_relics import GenerateRelics
from loresmith.lore import SelectedSetting

HARBOUR: dict[str, Any] = {
    "name": "Mudwater Port",
    "description": "A misty river port where barges sink without a sound.",
    "details": {"kind": "River port", "danger": "At night, thieves come across the marsh.", "stats": {"wealth": 3}},
    "type": "setting",
}
SIEGE: dict[str, Any] = {"name": "The Barren Siege", "description": "A siege emptied the upper town.", "type": "event"}


def selected(**changes: Any) -> SelectedSetting:
    return SelectedSetting.model_validate({**HARBOUR, **changes})


@pytest.mark.parametrize(
    ("model", "payload"),
    [
        (GenerateEvents, {"selected_setting": HARBOUR}),
        (GenerateEvents, {"selectedSetting": HARBOUR}),
        (GenerateRelics, {"selected_setting": HARBOUR, "selected_event": SIEGE}),
        (GenerateRelics, {"selectedSetting": HARBOUR, "selectedEvent": SIEGE}),
        (GenerateRelics, {"selectedEvent": {**SIEGE, "id": 7, "chosen": True}}),
        (GenerateRelics, {"selected_setting": None}),
    ],
)
def test_both_spellings_are_taken_and_marks_of_the_client_ignored(model: Any, payload: dict[str, Any]) -> None:
    taken = model.model_validate({"theme": "fantasy", **payload})

    dumped = taken.model_dump(mode="json")
    assert set(dumped) <= {"theme", "count", "selected_setting", "selected_event"}
    assert model.model_validate(dumped) == taken


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "\n\x00"},
        {"name": "x" * 81},
        {"name": "x" + " " * 80},
        {"name": None},
        {"description": ""},
        {"description": "x" * 2_001},
        {"description": "x" * 2_000 + "\x00"},
        {"description": "\x00"},
        {"description": ["x"]},
        {"details": {"danger": "x" * 32_000}},
        {"details": {f"x{number}": 1 for number in range(31)}},
        {"details": {"\x00" * number: 1 for number in range(31)}},
        {"details": []},
        {"type": "relic"},
    ],
    ids=str,
)
def test_what_is_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        selected(**changes)


def test_control_characters_become_blanks_wherever_they_are() -> None:
    piece = selected(name="Mud\x00water\nPort", description="A\tport.\u202e", details={"a\n": ["b\r\nc"]})

    assert (piece.name, piece.description, piece.details) == ("Mud water Port", "A port.", {"a": ["b c"]})
