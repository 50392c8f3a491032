"""The theme of a world: five known ones, or a free text of up to sixty characters."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from loresmith.lore.quoting import has_controls, quoted

THEME_MAX_LENGTH = 60

KNOWN_THEMES = {
    "fantasy": "castles, magic, dragons, dark forests and old kings",
    "norse-mythology": "a cold land of vikings, longships, runes, giants and old gods",
    "cyberpunk": "a neon city of hackers, robots, implants and corporations",
    "post-apocalyptic": "ruins after the end of the world, with scarce water, rust and survivors",
    "steampunk": "a smoky city of airships, brass machines, gears and steam",
}
"""Name of each known theme → what its world is made of, told to the model."""


def _without_control_characters(theme: str) -> str:
    if has_controls(theme):
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
    if world := KNOWN_THEMES.get(theme):
        return f'"{world}"'
    return quoted(theme, THEME_MAX_LENGTH)
