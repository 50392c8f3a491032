"""Text for terminals: what strangers and models wrote moves no cursor, colours nothing, and hides nothing."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# All that a terminal obeys or does not draw: controls (C0, DEL, C1), marks of direction, zero-width characters,
# fillers, selectors, tags, line separators, halves of characters. A joiner between two letters beyond ASCII stays.
_OBEYED: Final = re.compile(
    r"(?<=[^\x00-\x7f\u200c\u200d])(?P<joiner>[\u200c\u200d])(?=[^\x00-\x7f\u200c\u200d])"
    "|[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def escaped(text: str) -> str:
    """Return a text as one line that a terminal only draws: `\\x1b` stands for ESC, `\\u202e` for a mark of direction.

    Doing it twice changes nothing more.
    """
    if text.isascii() and text.isprintable():
        return text
    return _OBEYED.sub(lambda match: match[0] if match["joiner"] else _shown(match[0]), text)


def escaped_json(document: str) -> str:
    """Return JSON of the same value with `\\u….` for each character that a terminal obeys or does not draw.

    Line feeds between the tokens stay; within a string there is none.
    """
    return _OBEYED.sub(lambda match: match[0] if match[0] == "\n" else _as_json(match[0]), document)


@cache
def _shown(character: str) -> str:
    code = ord(character)
    return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


@cache
def _as_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
