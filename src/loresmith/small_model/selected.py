"""Selected pieces as a guided model reads them, and texts without their names."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic import JsonValue

from loresmith.lore import SelectedPiece, quote

NOTE_MAX_LENGTH: Final = 400
"""Characters of a selected piece in a prompt: a small model reads two of them with the examples."""

_STAND_INS: Final = {"character": "Ruth", "faction": "Guild", "setting": "Valley", "event": "Feast", "relic": "Jewel"}
_WORD: Final = "[A-Za-z]+(?:['-][A-Za-z]+)*"
_PLAIN: Final = re.compile(rf"{_WORD}(?: {_WORD})*")
"""Each repetition begins with a mark or a blank of its own: a name of a stranger must not cost more than its length."""


def as_note(piece: SelectedPiece) -> str:
    """Return a piece as one quoted line of bounded length."""
    sentences = " ".join(_sentences(piece.details))
    return quote(f"{piece.name}: {piece.description} {sentences}", NOTE_MAX_LENGTH)


def name_if_plain(piece: SelectedPiece | None) -> str | None:
    """Return the name if it is made of letters only, so that a pattern may have it; None for any other."""
    return piece.name if piece is not None and _PLAIN.fullmatch(piece.name) else None


def mask_names(text: str, names: Iterable[tuple[str, str]]) -> str:
    """Return a text with a plain word for each (type, name), to be judged as prose.

    Names come from strangers or are made up, they are asked for, and they come more than once.
    """
    for kind, name in names:
        text = name_pattern([name]).sub(_STAND_INS.get(kind, "Arden"), text)
    return text


def name_pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of whole names, in any case."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(name) for name in names)})(?!\w)", re.IGNORECASE)


def _sentences(details: Mapping[str, JsonValue]) -> Iterator[str]:
    for value in details.values():
        if isinstance(value, str) and value.endswith((".", "!", "?")):
            yield value
