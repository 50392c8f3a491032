"""Every job type from request to result by the model that comes with us."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Run, Start

KINDS = ["characters", "factions", "settings", "events", "relics"]


async def written(run: Run, name: str, payload: dict[str, Any], *, seconds: float) -> Any:
    """Return the result of a job of this type."""
    job = await run.ended(await run.submit_type(name, payload), seconds=seconds)
    assert job["status"] == "completed", job["error"]
    assert (job["progress"], job["usage"]["model"]) == (100, "SmolLM2-135M-Instruct")
    return job["result"]


@pytest.mark.timeout(240)
async def test_a_character_is_written(start: Start) -> None:
    [character] = await written(
        await start(model=""), "generate_characters", {"theme": "fantasy", "count": 1}, seconds=150
    )
    assert len(character["name"]) > 1
    assert len(character["details"]["traits"]) == 3


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
async def test_three_different_items_are_written(start: Start, kind: str) -> None:
    items = await written(await start(model=""), f"generate_{kind}", {"theme": "steampunk"}, seconds=300)
    assert [item["type"] for item in items] == [kind.removesuffix("s")] * 3
    assert len({item["name"] for item in items}) == 3


@pytest.mark.long
async def test_a_world_is_written_and_is_there_after_a_restart(start: Start) -> None:
    run = await start(model="")
    made = await written(run, "create_world", {"user_id": 7, "theme": "norse-mythology"}, seconds=800)
    assert made["story"].count("\n\n") >= 4
    assert (await run.stop())[0] == 0

    again = await start(model="")
    world = (await again.http.get(f"/worlds/{made['world_id']}")).json()
    assert (world["title"], world["story"], world["quest"]) == (made["title"], made["story"], made["quest"])
    assert [piece["name"] for piece in world["pieces"]] == [piece["name"] for piece in made["pieces"]]
