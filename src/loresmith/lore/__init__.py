"""Plain domain models: themes, lore pieces, and what makes their prose acceptable."""

from loresmith.lore.chosen import (
    ChosenCharacter,
    ChosenEvent,
    ChosenFaction,
    ChosenPiece,
    ChosenRelic,
    ChosenSetting,
)
from loresmith.lore.piece import FewWords, LorePiece, OfTen, Sentence, ThemedItems
from loresmith.lore.theme import KNOWN_THEMES, Theme, describe_theme

__all__ = [
    "KNOWN_THEMES",
    "ChosenCharacter",
    "ChosenEvent",
    "ChosenFaction",
    "ChosenPiece",
    "ChosenRelic",
    "ChosenSetting",
    "FewWords",
    "LorePiece",
    "OfTen",
    "Sentence",
    "Theme",
    "ThemedItems",
    "describe_theme",
]
