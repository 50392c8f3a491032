"""The theme of a world: five known ones, or a free text of up to sixty characters."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

THEME_MAX_LENGTH = 60

KNOWN_THEMES = {
    "fantasy": "castles, magic, dragons, dark forests and old kings",
    "norse-mythology": "a cold land of vikings, longships, runes, giants and old gods",
    "cyberpunk": "a neon city of hackers, robots, implants and corporations",
    "post-apocalyptic": "ruins after the end of the world, with scarce water, rust and survivors",
    "steampunk": "a smoky city of airships, brass machines, gears and steam",
}
"""Name of each known theme → what its world is made of, told to the model."""

_UNREADABLE = re.compile(r"[\"“”<>{}|\[\]`\\]")


def _without_control_characters(theme: str) -> str:
    if any(unicodedata.category(character).startswith("C") for character in theme):
        raise ValueError("a theme is one line of text without control characters")
    return theme


Theme = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=THEME_MAX_LENGTH),
    AfterValidator(_without_control_characters),
    Field(description="A known theme or a free text", examples=[*KNOWN_THEMES]),
]


def describe_theme(theme: str) -> str:
    """Return the theme as a prompt names it: quoted, free of marks that could end the quotation.

    A theme comes from strangers; it stays one short quoted phrase whatever it says.
    """
    phrase = " ".join(_UNREADABLE.sub(" ", _without_controls(theme)).split())[:THEME_MAX_LENGTH]
    world = KNOWN_THEMES.get(theme)
    return f'"{world or phrase}"'


def _without_controls(text: str) -> str:
    return "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
