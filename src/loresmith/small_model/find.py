"""The guide for a model of an item."""

from typing import Any, Final

from pydantic import BaseModel

from loresmith.lore import LorePrompt, Story
from loresmith.small_model.guides.characters import CharacterGuide
from loresmith.small_model.guides.events import EventGuide
from loresmith.small_model.guides.factions import FactionGuide
from loresmith.small_model.guides.relics import RelicGuide
from loresmith.small_model.guides.settings import SettingGuide
from loresmith.small_model.item_guide import ItemGuide
from loresmith.small_model.story_guide import StoryGuide

_GUIDES: Final[tuple[type[ItemGuide[Any, Any]], ...]] = (
    CharacterGuide, FactionGuide, SettingGuide, EventGuide, RelicGuide,
)  # fmt: skip


def find_item_guide(model: type[BaseModel], prompt: str, *, count: int, seed: str) -> ItemGuide[Any, Any] | None:
    """Return the guide that writes `count` objects of `model`; None where only the prompt can say what to write."""
    guide = next((guide for guide in _GUIDES if guide.model is model), None)
    if guide is None or not isinstance(prompt, LorePrompt):
        return None
    return guide(prompt.theme, count, seed, prompt.selected)


def find_story_guide(model: type[BaseModel], prompt: str, *, seed: str) -> StoryGuide | None:
    """Return the guide that writes the story of the five selected pieces of `prompt`; None for any other model."""
    return StoryGuide(prompt, seed) if model is Story and isinstance(prompt, LorePrompt) else None
