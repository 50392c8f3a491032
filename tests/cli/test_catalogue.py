"""`loresmith types TYPE` shows what each field takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from loresmith.cli.app import run_command
from loresmith.client import JobType


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Order(BaseModel):
    tone: Literal["plain", "warm"] = Field("plain", description="How it sounds")
    colour: Colour | None = None
    colours: list[Colour] = Field(default_factory=list[Colour])
    size: Literal[1, 2] = 1
    free: int | Literal["a"] = "a"
    country: str = Field("country-1", json_schema_extra={"enum": [f"country-{number}" for number in range(20)]})


def test_the_values_of_an_enum_are_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = JobType(name="order", payload_schema=Order.model_json_schema(), document={})

    def find_type(*_: object) -> JobType:
        return kind

    monkeypatch.setattr("loresmith.cli.submit.find_type", find_type)

    assert run_command(["types", "order"]) == 0

    lines = capsys.readouterr().out.splitlines()
    table = {line.split()[0]: line for line in lines if line and not line.startswith(" ")}
    assert table["tone"].endswith("one of plain, warm; How it sounds")
    assert table["colour"].endswith("one of red, green")
    assert table["colours"].endswith("one of red, green")
    assert table["size"].endswith("one of 1, 2")
    assert "one of" not in table["free"]
    assert all(f"country-{number}" in " ".join(lines) for number in range(20))
    assert max(map(len, lines)) <= 80
