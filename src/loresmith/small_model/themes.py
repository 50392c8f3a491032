"""Known themes as a guided model reads them."""

from typing import Final

from loresmith.lore.quoting import quote
from loresmith.lore.theme import THEME_MAX_LENGTH

_WORLDS: Final = {
    "fantasy": "castles, magic, dragons, dark forests and old kings",
    "norse-mythology": "a cold land of vikings, longships, runes, giants and old gods",
    "cyberpunk": "a neon city of hackers, robots, implants and corporations",
    "post-apocalyptic": "ruins after the end of the world, with scarce water, rust and survivors",
    "steampunk": "a smoky city of airships, brass machines, gears and steam",
}
"""Name of each known theme → the contents of its world."""


def describe_theme(theme: str) -> str:
    """Return the theme as one quoted phrase: the contents of a known world, or the free text."""
    return quote(_WORLDS.get(theme, theme), THEME_MAX_LENGTH + 20)
