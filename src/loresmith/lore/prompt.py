"""Prompts for lore: plain text that remembers its theme and the pieces it shows."""

from collections.abc import Sequence
from typing import Self

from loresmith.lore.quoting import quote
from loresmith.lore.selected import SelectedPiece
from loresmith.lore.theme import THEME_MAX_LENGTH


class LorePrompt(str):
    """A prompt about a world.

    Every model reads the text. A guided model, which cannot follow it, is asked by `theme`, `selected` and `names`
    instead (see `loresmith.small_model`).
    """

    __slots__ = ("names", "selected", "theme")

    theme: str
    selected: Sequence[SelectedPiece]
    names: Sequence[str]
    """Names that other pieces of the world have already."""

    def __new__(
        cls, task: str, *, theme: str, selected: Sequence[SelectedPiece] = (), names: Sequence[str] = ()
    ) -> Self:
        """Return `task` with the theme and the selected pieces as quoted data."""
        lines = [task, f"Theme: {quote(theme, THEME_MAX_LENGTH)}"]
        lines += [piece.as_prompt_text() for piece in selected]
        prompt = super().__new__(cls, "\n".join(lines))
        prompt.theme, prompt.selected, prompt.names = theme, tuple(selected), tuple(names)
        return prompt
