"""Plain domain models: themes, lore pieces, and what makes their prose acceptable."""

from loresmith.lore.chosen import ChosenEvent, ChosenPiece, ChosenSetting
from loresmith.lore.piece import FewWords, LorePiece, OfTen, Sentence, ThemedItems
from loresmith.lore.theme import KNOWN_THEMES, Theme, describe_theme

__all__ = [
    "KNOWN_THEMES",
    "ChosenEvent",
    "ChosenPiece",
    "ChosenSetting",
    "FewWords",
    "LorePiece",
    "OfTen",
    "Sentence",
    "Theme",
    "ThemedItems",
    "describe_theme",
]
