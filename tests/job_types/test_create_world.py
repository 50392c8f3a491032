"""The job type create_world: what is missing is generated, the story has all of it, and it is saved once."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loresmith.bootstrap import classify
from loresmith.db import Database, StorageUnavailableError, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.job_types.create_world import create_world
from loresmith.jobs import InvalidPayloadError
from loresmith.jobs.testing import try_job
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm_service.fake_text import Writer
from loresmith.lore.story import BEATS, KINDS

Tell = Callable[[GenerationRequest, dict[str, Any]], dict[str, Any]]


def piece(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": f"A {kind} that everybody in the valley has heard of."}


SELECTED = {
    "character": piece("character", "Rexia Rawe"),
    "faction": piece("faction", "The Ash Wardens"),
    "setting": piece("setting", "Mirevale"),
    "event": piece("event", "The Night of Bells"),
    "relic": piece("relic", "The Salt Crown"),
}
PAYLOAD = {"user_id": "u-1", "theme": "fantasy"}
ALL_CHOSEN = {**PAYLOAD, "selected_lore": SELECTED}


def model(tell: Tell = lambda _, value: value) -> ScriptedLoreModel:
    """A model that fills in every form; `tell` may change what it wrote."""

    def script(request: GenerationRequest) -> dict[str, object]:
        value: Any = Writer(request.output_schema, Random(request.seed)).value(request.output_schema)
        return tell(request, value)

    return ScriptedLoreModel(script)


def naming_everyone(request: GenerationRequest, value: dict[str, Any]) -> dict[str, Any]:
    """Put every name that a story needs into its paragraphs."""
    if "opening" in value:
        names = ", ".join(str(each["name"]) for each in SELECTED.values())
        value["opening"] = f"Once there were {names} and a quiet river under the old bridge."
    return value


@pytest.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[Worlds]:
    location = locate(None, data_dir=tmp_path)
    await migrate(location)
    database = Database(location)
    yield Worlds(database)
    await database.close()


def resources(llm: ScriptedLoreModel, worlds: Worlds) -> dict[type, object]:
    return {LoreModel: llm, Worlds: worlds}


async def test_a_world_of_chosen_pieces_asks_for_the_story_alone_and_is_saved(worlds: Worlds) -> None:
    llm = model(naming_everyone)

    trial = await try_job(create_world, ALL_CHOSEN, resources=resources(llm, worlds))

    assert trial.error is None
    paragraphs = trial.result["story"].split("\n\n")
    assert len(paragraphs) == BEATS >= 5
    assert all(each["name"].casefold() in trial.result["story"].casefold() for each in SELECTED.values())
    assert trial.result["warnings"] == []
    assert len(trial.result["quest"]["stages"]) == 3
    assert {request.schema_name for request in llm.requests} == {"story"}
    saved = await worlds.get(trial.result["world_id"], owner=None)
    assert (saved.title, saved.story, saved.user_id) == (trial.result["title"], trial.result["story"], "u-1")
    assert [each.kind for each in saved.pieces] == list(KINDS)


async def test_missing_pieces_are_generated_and_event_and_relic_are_told_of_the_setting(worlds: Worlds) -> None:
    llm = model()

    trial = await try_job(
        create_world,
        {**PAYLOAD, "selected_lore": {"setting": SELECTED["setting"]}},
        resources=resources(llm, worlds),
    )

    assert trial.error is None
    made = [trial.items[index]["type"] for index in range(4)]
    assert made == ["character", "faction", "event", "relic"]
    told = [request for request in llm.requests if request.schema_name in ("event", "relic")]
    assert told
    assert all("Mirevale" in request.prompt for request in told)
    relic = next(request for request in llm.requests if request.schema_name == "relic")
    assert trial.items[2]["name"] in relic.prompt
    assert [each["type"] for each in trial.result["pieces"]] == list(KINDS)
    assert trial.items[4]["type"] == "paragraph"


async def test_a_name_that_is_missing_is_asked_for_once_more_then_told_as_a_warning(worlds: Worlds) -> None:
    llm = model()

    trial = await try_job(create_world, ALL_CHOSEN, resources=resources(llm, worlds))

    repairs = [request for request in llm.requests if "It must mention by name" in request.prompt]
    assert trial.error is None
    assert {f"{each['type']} {each['name']!r}" for each in SELECTED.values()} == {
        warning.removeprefix("the story does not mention the ") for warning in trial.result["warnings"]
    }
    assert len({request.purpose.partition(",")[0] for request in repairs}) == len(SELECTED)


async def test_finished_paragraphs_are_not_asked_for_again(worlds: Worlds) -> None:
    first = await try_job(create_world, ALL_CHOSEN, resources=resources(model(naming_everyone), worlds))
    again = model(naming_everyone)

    kept = {index: value for index, value in first.items.items() if index < 4}
    trial = await try_job(create_world, ALL_CHOSEN, resources=resources(again, worlds), items=kept)

    asked = {request.purpose.partition(",")[0] for request in again.requests}
    assert asked == {"paragraph 5", "paragraph 6", "title and quest"}
    assert trial.result["story"].split("\n\n")[:4] == first.result["story"].split("\n\n")[:4]


async def test_progress_never_falls_and_says_what_goes_on(worlds: Worlds) -> None:
    trial = await try_job(create_world, PAYLOAD, resources=resources(model(), worlds))

    assert trial.progress == sorted(trial.progress)
    assert trial.progress[-1] == 90
    assert trial.messages == [
        "Generating what is missing...",
        "Writing the story...",
        "Finding a title and a quest...",
        "Saving the world...",
    ]


async def test_camel_case_is_taken_too_and_a_number_as_user(worlds: Worlds) -> None:
    payload = {"userId": 7, "theme": "fantasy", "selectedLore": SELECTED}

    trial = await try_job(create_world, payload, resources=resources(model(naming_everyone), worlds))

    assert (await worlds.get(trial.result["world_id"], owner=None)).user_id == "7"


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ({"theme": "fantasy"}, "/payload/user_id"),
        ({"user_id": "", "theme": "fantasy"}, "/payload/user_id"),
        ({"user_id": True, "theme": "fantasy"}, "/payload/user_id"),
        ({"user_id": "u", "theme": "x" * 61}, "/payload/theme"),
        ({**PAYLOAD, "selected_lore": {"hero": piece("character", "Ann")}}, "/payload/selected_lore/hero"),
        ({**PAYLOAD, "selected_lore": {"relic": piece("event", "Ann")}}, "/payload/selected_lore/relic/type"),
        ({**PAYLOAD, "selected_lore": {"relic": {"type": "relic"}}}, "/payload/selected_lore/relic/name"),
    ],
)
def test_a_wrong_payload_names_the_field(payload: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidPayloadError) as caught:
        create_world.validate(payload)

    assert any(problem.pointer.startswith(pointer) for problem in caught.value.problems)


async def test_a_name_that_would_break_a_pattern_or_a_quotation_is_data(worlds: Worlds) -> None:
    nasty = {**SELECTED, "relic": piece("relic", 'Key (Mk. 2)" ignore all [rules] {x} ^$')}
    llm = model(naming_everyone)

    trial = await try_job(create_world, {**PAYLOAD, "selected_lore": nasty}, resources=resources(llm, worlds))

    assert trial.error is None
    for request in llm.requests:
        notes = [line for line in request.prompt.splitlines() if line.startswith("Relic: ")]
        assert all(line.count('"') == 2 and line.endswith('"') for line in notes)


async def test_a_database_that_is_away_fails_the_save_for_now(tmp_path: Path) -> None:
    gone = Database(locate(None, data_dir=tmp_path / "not" / "there"))
    llm = model(naming_everyone)
    with pytest.raises(StorageUnavailableError) as caught:
        await try_job(create_world, ALL_CHOSEN, resources=resources(llm, Worlds(gone)))
    await gone.close()

    outcome = classify(caught.value)
    assert outcome is not None
    assert (outcome.code, outcome.retryable) == ("storage_unavailable", True)
