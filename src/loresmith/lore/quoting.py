"""Text of strangers as a prompt may show it: one quoted line that it cannot leave."""

import re
import unicodedata

_UNREADABLE = re.compile(r"[\"“”„«»<>{}|\[\]`\\]")


def quote(text: str, max_characters: int = 2_000) -> str:
    """Return untrusted text as one quoted line of at most `max_characters` inside, for use in a prompt."""
    return quoted(text, max_characters)


def quoted(text: str, longest: int) -> str:
    """Return a text as one quoted line of at most `longest` characters inside, free of marks that end a quotation."""
    line = " ".join(_UNREADABLE.sub(" ", without_controls(text)).split())
    return f'"{line[:longest].rstrip()}"'


def without_controls(text: str) -> str:
    """Return a text with a blank for each control character, format character and line break."""
    return "".join(" " if _is_control(character) else character for character in text)


def has_controls(text: str) -> bool:
    """Tell whether a text has control characters, format characters or line breaks."""
    return not text.isprintable() and any(map(_is_control, text))  # nothing printable is one, and that is told at once


def _is_control(character: str) -> bool:
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
