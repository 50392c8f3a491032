"""Text of strangers as a prompt may show it: one quoted line that it cannot leave."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# ZERO WIDTH NON-JOINER and JOINER spell words in Persian, Urdu and the scripts of India; the joiner also makes one
# emoji of several. A single one between two such characters is kept: without it, words change their meaning.
_JOINED_SCRIPTS: Final = "\u0620-\u06ff\u0710-\u074f\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u1820-\u18aa"
_EMOJI: Final = "\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2934-\u2b55\U0001f000-\U0001faff"
_JOINERS: Final = (
    rf"(?<=[{_JOINED_SCRIPTS}])[\u200c\u200d](?=[{_JOINED_SCRIPTS}])|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"
)
_SELECTORS: Final = rf"(?<=[{_EMOJI}])\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)"
_KEPT: Final = re.compile(f"{_JOINERS}|{_SELECTORS}")

_BLANK: Final = "\u2800\u3164\uffa0"
"""Letters and signs that are drawn as a blank."""
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but for tab and line ends
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners and fillers, Mongolian selectors
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb"  # zero width, direction, selectors
    "\ud800-\udfff\ufffe\uffff\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"  # tags, in which whole orders can be written, and more selectors
)

_MOST_MARKS: Final = 4
"""Combining marks on one letter: more than any language has, and too few to bury the text around."""
_APOSTROPHES: Final = (
    "'\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u00b4\u2032\u2035\uff07\u055a\u05f3"
    "\u07f4\u07f5\ua78b\ua78c\u1fbd\u1fbf\u1ffd\u275b\u275c"
)
_FORBIDDEN: Final = frozenset('"`\\|<>[]{}')
_MARKS_OF_QUOTATION: Final = frozenset(
    "\u02ba\u02dd\u02ee\u02f4\u02f5\u02f6\u05f4\u055b\u1cd3\u2033\u2034\u2036\u2037\u2057\u3003\u2e42"
    "\u275b\u275c\u275d\u275e\u275f\u2760\U0001f676\U0001f677\U0001f678\U00016f51\U00016f52"
    # Angle brackets, backslashes, pipes and the underscore of models in other forms:
    "\u02c2\u02c3\u226a\u226b\u22d8\u22d9\u2216\u29f5\u29f9\u2758\u2759\u275a\u2581"
)
"""Marks that read as one that ends a quotation, beside those that Unicode calls quotation marks and brackets."""


def quote(text: str, max_characters: int = 2_000) -> str:
    """Return untrusted text for use in a prompt: one quoted line of at most `max_characters` inside.

    Inside, nothing reads as a quotation mark, a bracket or a line break, in any form that Unicode has for it (NFKC), no
    character is invisible, and marks do not pile up on a letter. An apostrophe stays between two letters only.
    """
    text = unicodedata.normalize("NFKC", _straightened(without_unseen(text)))
    line = "".join(map(_shown, _bounded_marks(without_unseen(text))))
    line = _OPEN_APOSTROPHE.sub(" ", line.translate(_TO_APOSTROPHE))
    line = " ".join(_LOOSE_MARKS.sub("", line).split())[:max_characters]
    return f'"{line.rstrip(_NOT_LAST)}"'


_NOT_LAST: Final = " '\u200c\u200d"
_TO_APOSTROPHE: Final = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))
_OPEN_APOSTROPHE: Final = re.compile(r"(?<![^\W_])'|'(?![^\W_])")
_LOOSE_MARKS: Final = re.compile(r"(?:(?<=\s)|^)[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")


def _straightened(text: str) -> str:
    """Return a text with one form of apostrophe: NFKC would make a blank with an accent of some."""
    return text.translate(_TO_APOSTROPHE)


def _bounded_marks(text: str) -> str:
    """Return a text without the marks that are too many on one character."""
    kept, marks = list[str](), 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=4096)
def _shown(character: str) -> str:
    """Return a character, or a blank in its place."""
    if character in _APOSTROPHES:
        return character
    category = unicodedata.category(character)
    if category in ("Pi", "Pf") or (category in ("Ps", "Pe") and character not in "()"):
        return " "
    if category[0] == "C" and character not in "\u200c\u200d" and not "\U0001f000" <= character <= "\U0001faff":
        return " "
    if character in _MARKS_OF_QUOTATION or not _FORBIDDEN.isdisjoint(unicodedata.normalize("NFKD", character)):
        return " "
    return character


def without_unseen(text: str) -> str:
    """Return a text without characters that no reader sees, and with a blank for those drawn as one.

    Tab, line feed and carriage return stay. So do joiners and selectors where they spell a word or make an emoji.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = {match.start() for match in _KEPT.finditer(text)}
    text = _UNSEEN.sub(lambda match: match[0] if match.start() in kept else "", text)
    return text.translate(_TO_BLANK)


_TO_BLANK: Final = str.maketrans(dict.fromkeys(_BLANK, " "))


def without_controls(text: str) -> str:
    """Return a text with a blank for each control character, format character and line break."""
    kept = {match.start() for match in _KEPT.finditer(text)}
    return "".join(" " if _is_control(character) and at not in kept else character for at, character in enumerate(text))


def has_controls(text: str) -> bool:
    """Tell whether a text has control characters, format characters or line breaks."""
    if text.isprintable():  # nothing printable is one, and this is fast
        return False
    return any(map(_is_control, _KEPT.sub("", text)))


def _is_control(character: str) -> bool:
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
