"""The theme of a world: a known one, or a free text of up to sixty characters."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from loresmith.lore.quoting import has_controls

THEME_MAX_LENGTH: Final = 60

KNOWN_THEMES: Final = ("fantasy", "norse-mythology", "cyberpunk", "post-apocalyptic", "steampunk")


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
