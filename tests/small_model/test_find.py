"""The choice of a guide by model and prompt, and jobs of a guided model."""

from typing import Any

import pytest
from pydantic import BaseModel

from loresmith.bootstrap import build_registry
from loresmith.jobs.testing import try_job
from loresmith.llm.fake import ScriptedLoreModel
from loresmith.llm.port import GenerationRequest, LoreModel
from loresmith.lore import Character, Event, Faction, LorePiece, LorePrompt, Relic, Setting, Story
from loresmith.small_model import find_item_guide, find_story_guide
from loresmith.small_model.story_guide import StoryGuide
from tests.small_model.guides import GUIDES, HARBOUR, SIEGE, AnyGuide, answer_for, select

MODELS: dict[str, type[LorePiece[Any]]] = {
    "character": Character,
    "faction": Faction,
    "setting": Setting,
    "event": Event,
    "relic": Relic,
}
PROMPT = LorePrompt("Create one.", theme="fantasy", selected=[select(HARBOUR), select(SIEGE)])
NAMES = ("Kira Thorne", "Dorin Hale", "Sella Marsh")


class Poem(BaseModel):
    """A model without a guide."""

    text: str


class OwnRelic(Relic, frozen=True):
    """A relic with a field that the guide does not know."""

    curse: str


@pytest.mark.parametrize("noun", GUIDES)
def test_each_lore_piece_has_its_guide(noun: str) -> None:
    guide = find_item_guide(MODELS[noun], PROMPT, count=3, seed="job-1")

    assert guide is not None
    assert type(guide) is GUIDES[noun]
    expected: AnyGuide = GUIDES[noun]("fantasy", 3, "job-1", PROMPT.selected)
    assert guide.request(1, 0, []) == expected.request(1, 0, [])


@pytest.mark.parametrize("model", [Poem, OwnRelic, Story])
def test_another_model_has_no_item_guide(model: type[BaseModel]) -> None:
    assert find_item_guide(model, PROMPT, count=3, seed="job-1") is None


@pytest.mark.parametrize("noun", GUIDES)
def test_a_plain_prompt_has_no_item_guide(noun: str) -> None:
    assert find_item_guide(MODELS[noun], str(PROMPT) + "", count=3, seed="job-1") is None


def test_a_story_has_a_guide_for_a_lore_prompt_only() -> None:
    assert isinstance(find_story_guide(Story, story_prompt(), seed="job-1"), StoryGuide)
    assert find_story_guide(Story, "Write a story.", seed="job-1") is None
    assert find_story_guide(Poem, story_prompt(), seed="job-1") is None


def story_prompt() -> LorePrompt:
    pieces = [{"name": f"Old {noun}", "description": "Something old.", "type": noun} for noun in GUIDES]
    return LorePrompt("Write a story.", theme="fantasy", selected=[select(each) for each in pieces])


async def test_a_job_of_a_guided_model_writes_with_the_guide() -> None:
    """The seed of the guide is the job id, so a job that runs again makes the same requests."""
    guide: AnyGuide = GUIDES["character"]("fantasy", 3, "job-1")

    def write(request: GenerationRequest) -> dict[str, Any]:
        index = int(request.purpose.split()[1].rstrip(",")) - 1
        return answer_for(request, guide, name=NAMES[index])

    model = ScriptedLoreModel(write, guided=True)
    kind = build_registry().get("generate_characters")
    trial = await try_job(kind, {"theme": "fantasy"}, resources={LoreModel: model}, job_id="job-1")

    assert trial.error is None
    assert [item["name"] for item in trial.result] == list(NAMES)
    expected = [guide.request(index, 0, []) for index in range(3)]
    assert [(each.seed, each.purpose) for each in model.requests] == [(each.seed, each.purpose) for each in expected]
    assert [each.output_schema for each in model.requests] == [each.output_schema for each in expected]
    assert trial.steps == {}, "a guided model makes no plan"
