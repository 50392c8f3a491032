"""Plain domain models: themes, lore pieces, and what makes their prose acceptable."""

from loresmith.lore.chosen import ChosenEvent, ChosenPiece, ChosenSetting
from loresmith.lore.piece import LorePiece
from loresmith.lore.theme import KNOWN_THEMES, Theme, describe_theme

__all__ = ["KNOWN_THEMES", "ChosenEvent", "ChosenPiece", "ChosenSetting", "LorePiece", "Theme", "describe_theme"]
