"""Domain models: themes, lore pieces and stories. Their field descriptions are the instruction to a model."""

from loresmith.lore.characters import Character
from loresmith.lore.events import Event
from loresmith.lore.factions import Faction
from loresmith.lore.piece import LorePiece, ThemedItems
from loresmith.lore.prompt import LorePrompt
from loresmith.lore.quoting import quote
from loresmith.lore.relics import Relic
from loresmith.lore.selected import (
    SelectedCharacter,
    SelectedEvent,
    SelectedFaction,
    SelectedPiece,
    SelectedRelic,
    SelectedSetting,
)
from loresmith.lore.settings import Setting
from loresmith.lore.story import KINDS, Paragraph, Quest, Story, find_unmentioned
from loresmith.lore.theme import KNOWN_THEMES, Theme

__all__ = [
    "KINDS",
    "KNOWN_THEMES",
    "Character",
    "Event",
    "Faction",
    "LorePiece",
    "LorePrompt",
    "Paragraph",
    "Quest",
    "Relic",
    "SelectedCharacter",
    "SelectedEvent",
    "SelectedFaction",
    "SelectedPiece",
    "SelectedRelic",
    "SelectedSetting",
    "Setting",
    "Story",
    "Theme",
    "ThemedItems",
    "find_unmentioned",
    "quote",
]
