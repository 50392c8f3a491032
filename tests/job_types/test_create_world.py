"""The job type create_world: missing pieces know each other, the story has all of them, and it is saved once."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from loresmith.bootstrap import classify
from loresmith.db import Database, Worlds, locate
from loresmith.db.schema import migrate
from loresmith.job_types.create_world import create_world
from loresmith.jobs import InvalidPayloadError
from loresmith.jobs.testing import Trial, try_job
from loresmith.llm.errors import GenerationError
from loresmith.llm.fake import Interrupted, ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.llm_service.fake_text import Writer
from loresmith.lore import KINDS
from loresmith.lore.story import is_mentioned

Change = Callable[[GenerationRequest, dict[str, Any]], dict[str, Any]]


def piece(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": f"A {kind} of the valley."}


SELECTED = {
    "character": piece("character", "Rexia Rawe"),
    "faction": piece("faction", "The Ash Wardens"),
    "setting": piece("setting", "Mirevale"),
    "event": piece("event", "The Night of Bells"),
    "relic": piece("relic", "The Salt Crown"),
}
PAYLOAD = {"user_id": "u-1", "theme": "fantasy"}
ALL_SELECTED = {**PAYLOAD, "selected_lore": SELECTED}
NAMES = ", ".join(str(each["name"]) for each in SELECTED.values())


def is_story(request: GenerationRequest) -> bool:
    return "quest" in request.output_schema["properties"]


def write(request: GenerationRequest) -> dict[str, Any]:
    """Answer with an object that satisfies the schema, the same for the same prompt."""
    value: Any = Writer(request.output_schema, Random(request.prompt)).value(request.output_schema)
    return value


def named(request: GenerationRequest, value: dict[str, Any]) -> dict[str, Any]:
    """Name every selected piece in the first paragraph."""
    if is_story(request) and value.get("paragraphs"):
        value["paragraphs"][0] = f"Once there were {NAMES} and a quiet river."
    return value


def model(change: Change = named) -> ScriptedLoreModel:
    return ScriptedLoreModel(lambda request: change(request, write(request)))


@pytest.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[Worlds]:
    location = locate(None, data_dir=tmp_path)
    await migrate(location)
    database = Database(location)
    yield Worlds(database)
    await database.close()


async def run(llm: ScriptedLoreModel, worlds: Worlds, payload: object = ALL_SELECTED, **options: Any) -> Trial:
    return await try_job(
        create_world, payload, resources={LoreModel: llm, Worlds: worlds}, classify=classify, **options
    )


async def test_selected_pieces_need_one_call_for_story_title_and_quest(worlds: Worlds) -> None:
    llm = model()

    trial = await run(llm, worlds)

    assert trial.error is None
    paragraphs = trial.result["story"].split("\n\n")
    assert len(paragraphs) >= 5
    assert trial.result["warnings"] == []
    assert 3 <= len(trial.result["quest"]["stages"]) <= 6
    assert len(llm.requests) == 1
    assert all(f'"{each["name"]}"' in llm.requests[0].prompt for each in SELECTED.values())
    saved = await worlds.get(trial.result["world_id"], owner=None)
    assert (saved.title, saved.story, saved.user_id) == (trial.result["title"], trial.result["story"], "u-1")
    assert [each.kind for each in saved.pieces] == list(KINDS)


async def test_missing_pieces_are_planned_together_then_written_at_once(worlds: Worlds) -> None:
    llm = model()

    trial = await run(llm, worlds, {**PAYLOAD, "selected_lore": {"setting": SELECTED["setting"]}})

    assert trial.error is None
    plan, *others = llm.requests
    assert "concepts" in plan.output_schema["properties"]
    names = [each["name"] for each in trial.steps["plan"]["concepts"]]
    assert len(names) == 4
    pieces = [each for each in others if each.schema_name in ("character", "faction", "event", "relic")]
    assert len(pieces) == 4
    for request in pieces:
        assert "Mirevale" in request.prompt
        assert all(name in request.prompt for name in names)
    assert [trial.items[index]["type"] for index in range(4)] == ["character", "faction", "event", "relic"]
    assert trial.items[4]["type"] == "paragraph"
    results = {each["type"]: each for each in trial.result["pieces"]}
    assert list(results) == list(KINDS)
    assert results["event"]["details"]["setting"] == "Mirevale"
    assert results["relic"]["details"]["event"] == results["event"]["name"]


async def test_one_missing_piece_needs_no_plan(worlds: Worlds) -> None:
    llm = model()

    await run(llm, worlds, {**PAYLOAD, "selected_lore": {k: v for k, v in SELECTED.items() if k != "relic"}})

    assert [each.schema_name for each in llm.requests[:2]] == ["relic", "story"]


async def test_a_name_that_no_paragraph_mentions_is_repaired_once(worlds: Worlds) -> None:
    def forgets(request: GenerationRequest, value: dict[str, Any]) -> dict[str, Any]:
        if list(request.output_schema["properties"]) == ["text"]:
            return {"text": "At last Rexia Rawe put on the Salt Crown."}
        value = named(request, value)
        if is_story(request):
            value["paragraphs"][0] = value["paragraphs"][0].replace("The Salt Crown", "a hat")
        return value

    llm = model(forgets)
    trial = await run(llm, worlds)

    assert trial.result["warnings"] == []
    assert "At last Rexia Rawe put on the Salt Crown." in trial.result["story"].split("\n\n")
    assert len(llm.requests) == 2
    assert 'mentions the relic "The Salt Crown"' in llm.requests[1].prompt


async def test_names_that_stay_unmentioned_are_warnings(worlds: Worlds) -> None:
    trial = await run(model(lambda _, value: value), worlds)

    assert trial.error is None
    assert {warning.removeprefix("the story does not mention the ") for warning in trial.result["warnings"]} == {
        f"{each['type']} {each['name']!r}" for each in SELECTED.values()
    }


@pytest.mark.parametrize("text", ["Wolfgangs Turm brannte.", "Z Wolfgangiem szli ludzie.", "WOLFGANG!"])
def test_a_name_with_the_ending_of_a_language_is_mentioned(text: str) -> None:
    assert is_mentioned("Wolfgang", text)
    assert not is_mentioned("Wolfram", text)


async def test_the_next_attempt_goes_on_after_the_last_finished_paragraph(worlds: Worlds) -> None:
    gone = GenerationError("provider_unavailable", "gone", retryable=True)

    def dies(request: GenerationRequest) -> Interrupted | dict[str, Any]:
        value = named(request, write(request))
        if is_story(request):
            return Interrupted({"title": value["title"], "paragraphs": value["paragraphs"][:3]}, gone)
        return value

    first = await run(ScriptedLoreModel(dies), worlds, PAYLOAD)
    assert first.error is not None
    again = model()

    trial = await run(again, worlds, PAYLOAD, items=first.items, steps=first.steps, attempt=2)

    assert trial.error is None
    assert all(is_story(request) or "text" in request.output_schema["properties"] for request in again.requests)
    kept = [first.items[index]["text"] for index in (5, 6, 7)]
    assert all(text in again.requests[0].prompt for text in kept)
    assert again.requests[0].output_schema["properties"]["paragraphs"]["minItems"] == 2


async def test_a_story_in_literary_prose_is_taken_as_it_is(worlds: Worlds) -> None:
    prose = [
        f"“{NAMES}”, she murmured; it was the oldest story, and every character in it was dead.",
        "Fantasy! he laughed. The theme of the evening—cyberpunk dolls, thermal lengths—bored him…",
        "He killed the man who took his daughter. Nobody cheered.",
        "Der Nebel stieg, und niemand sprach.",
        "夜が明けた。鐘は鳴らなかった。",
    ]

    def literary(request: GenerationRequest, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "paragraphs": prose} if is_story(request) else value

    llm = model(literary)
    trial = await run(llm, worlds)

    assert trial.result["story"].split("\n\n") == prose
    assert len(llm.requests) == 1


async def test_progress_never_falls_and_messages_say_what_goes_on(worlds: Worlds) -> None:
    trial = await run(model(), worlds, PAYLOAD)

    assert trial.progress == sorted(trial.progress)
    assert trial.progress[-1] == 90
    assert trial.messages == ["Generating what is missing...", "Writing the story...", "Saving the world..."]


async def test_a_guided_model_writes_pieces_in_order_and_the_story_in_beats(worlds: Worlds) -> None:
    def script(request: GenerationRequest) -> dict[str, Any]:
        plain = {name: {k: v for k, v in each.items() if k != "pattern"} for name, each in _properties(request)}
        schema = {**request.output_schema, "properties": plain}
        value: Any = Writer(schema, Random(request.seed)).value(schema)
        return value

    llm = ScriptedLoreModel(script, guided=True)
    trial = await run(llm, worlds, PAYLOAD)

    assert trial.error is None
    assert not any("concepts" in request.output_schema["properties"] for request in llm.requests)
    purposes = [request.purpose.partition(",")[0] for request in llm.requests]
    assert purposes.index("event 1") > max(purposes.index(f"{kind} 1") for kind in ("character", "faction", "setting"))
    assert purposes.index("relic 1") > purposes.index("event 1")
    assert len(trial.result["story"].split("\n\n")) == 6


def _properties(request: GenerationRequest) -> Any:
    return request.output_schema["properties"].items()


async def test_camel_case_is_taken_too_and_a_number_as_user(worlds: Worlds) -> None:
    trial = await run(model(), worlds, {"userId": 7, "theme": "fantasy", "selectedLore": SELECTED})

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


async def test_a_database_that_is_away_fails_the_save_for_now(tmp_path: Path) -> None:
    gone = Database(locate(None, data_dir=tmp_path / "not" / "there"))

    trial = await run(model(), Worlds(gone))
    await gone.close()

    assert trial.error is not None
    assert (trial.error.code, trial.error.retryable) == ("storage_unavailable", True)
    assert "story" in trial.steps
