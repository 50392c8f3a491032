"""Values as people paste them: what surrounds them is stripped, what does not belong inside them is named.

A value from a web page, a mail or a file written on another system brings white space, invisible characters and quotes
along. Around a value they are harmless. Inside a key or an address they make a request fail far from their cause.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

_QUOTES: Final = frozenset("\"'`\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a\uff02")
"""Straight and typographic quotes; programs that correct texts mix them."""
_NAMES: Final = {
    "\n": "a line break",
    "\r": "a carriage return",
    "\t": "a tab",
    " ": "a blank",
    "\u00a0": "a no-break space (U+00A0)",
    "\ufeff": "a byte order mark (U+FEFF)",
    "…": "an ellipsis (U+2026)",
}
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
"""Categories of Unicode that nobody sees: controls, formats, separators of lines, lone surrogates, nothing at all."""


class VariableError(ValueError):
    """A variable of the environment cannot be used; the message is one line that names it and not its value."""


def strip_pasted(text: str) -> str:
    """Return a value without the white space, invisible characters and quotes around it."""
    begin, end = 0, len(text)
    while begin < end and _surrounds(text[begin]):
        begin += 1
    while begin < end and _surrounds(text[end - 1]):
        end -= 1
    inner = text[begin:end]
    quoted = len(inner) >= 2 and {inner[0], inner[-1]} <= _QUOTES
    return strip_pasted(inner[1:-1]) if quoted else inner


def find_invisible(text: str) -> str | None:
    """Name the first character that nobody sees or expects in a text of one line, with its place; None: there is none.

    Blanks and letters of any script are fine.
    """
    return _found(text, lambda one: one != " " and (one.isspace() or unicodedata.category(one) in _INVISIBLE))


def find_unsendable(text: str) -> str | None:
    """Name the first character that no header and no address carries, with its place; None: there is none.

    What is left is printable ASCII without blanks.
    """
    return _found(text, lambda one: not "!" <= one <= "~")


def names_host(url: str, *schemes: str) -> bool:
    """Tell whether a URL has one of these schemes, a host, and a number as port if it has one."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def clean_variables(names: re.Pattern[str]) -> None:
    """Strip variables of the environment that other libraries read, where their names match. Raises VariableError."""
    for name in sorted(os.environ):
        if not names.fullmatch(name):
            continue
        value = strip_pasted(os.environ[name])
        if flaw := find_unsendable(value):
            raise VariableError(f"{name} has {flaw}: expected printable ASCII without blanks")
        if name.endswith(("_URL", "_ENDPOINT")) and value and not names_host(value, "http", "https"):
            raise VariableError(f"{name} is no address: expected http://… or https://…")
        if value != os.environ[name]:
            os.environ[name] = value


def _surrounds(one: str) -> bool:
    return one.isspace() or unicodedata.category(one) in {"Cc", "Cf"}


def _found(text: str, wrong: Callable[[str], bool]) -> str | None:
    for place, one in enumerate(text, start=1):
        if wrong(one):
            return f"{_name(one)} at character {place}"
    return None


def _name(one: str) -> str:
    if one in _NAMES:
        return _NAMES[one]
    if unicodedata.category(one) == "Cs":
        return "a byte that is not UTF-8"
    return f"U+{ord(one):04X} ({unicodedata.name(one, 'a control character').lower()})"
