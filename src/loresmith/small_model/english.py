"""Whether a text is made of English words: a small model slips into syllables that look like some."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from functools import cache

from spellchecker import SpellChecker

from loresmith.small_model.prose import FUNCTION_WORDS, words_of

_ARTICLES = re.compile(
    r"\b(an?|the|its|their) (an?|the|his|her|its|their|of|in|on|at|to|from|by|for|with|and|or|but|is|are|was)\b"
    r"|\ba ((?!one\b|once\b|eu)[aeio]\w+|hon(est|ou?r)\w*|heir\w*|hour)\b|\ban ([^aeiouh\W][a-z]+|hill|house|hall)\b",
    re.IGNORECASE,
)
_LOOSE_DEED = re.compile(r"^\w+ing (to|out|off|and|with|in)\b")
_FIT_AT_THE_END = frozenset(
    ("it", "him", "her", "them", "one", "all", "so", "over", "under", "through", "before", "after")
)
_ALSO_WORDS = frozenset(
    ("cyber", "holo", "nano", "netrunner", "rad", "draugr", "ragnarok", "aether", "skald", "steampunk")
)
_CONTRACTION = re.compile("['’](ve|re|ll|d|m)$")
_ENDINGS = ("'s", "’s", "s'", "es", "s", "ed", "er", "ing", "ly", "d")
_SHORTEST_PART = 3
_LONGER_PART = 4


def weakness_of(text: str, known: Collection[str] = ()) -> str | None:
    """Say what makes a text poor, though one could show it; None if nothing does."""
    if unknown := unknown_words(text, known):
        return f"has the unknown word {min(unknown)!r}"
    words = words_of(text)
    if wrong := _ARTICLES.search(text):
        return f"has the wrong article {wrong[0]!r}"
    if (
        _LOOSE_DEED.search(text)
        or words[-1] in FUNCTION_WORDS - _FIT_AT_THE_END
        or _CONTRACTION.search(words[-1])
        or words.count("they") > 2
    ):
        return "is loosely built"
    return None


def weakness_of_wording(text: str, before: Iterable[str], theme: str) -> str | None:
    """Say which word a text uses twice, or which one of the theme it uses after two of the texts before it."""
    heavy = _heavy(text)
    if twice := [word for at, word in enumerate(heavy) if word in heavy[:at]]:
        return f"has {twice[0]!r} twice"
    used = Counter(word for each in before for word in {*_heavy(each)})
    worn = sorted(word for word in {*heavy} & {*_heavy(theme)} if used[word] > 1)
    return f"has {worn[0]!r} once more" if worn else None


def unknown_words(text: str, known: Collection[str] = ()) -> set[str]:
    """Return the words of a text that no dictionary has and that are not in `known`.

    Capitalised words count as names; compounds of two known words ("shieldmaker") are words.
    """
    lower = {word for word in text.split() if word[:1].islower()}
    words = {part for word in words_of(" ".join(lower)) for part in word.split("-") if part}
    return {word for word in words if not _is_word(word, known)}


def _heavy(text: str) -> list[str]:
    return [word.removesuffix("s") for word in words_of(text) if len(word) > 3 and word not in FUNCTION_WORDS]


def _is_word(word: str, known: Collection[str]) -> bool:
    cuts = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1) if len(word) >= _SHORTEST_PART + _LONGER_PART else ()
    return any(_is_listed(form, known) for form in _forms(word)) or any(
        _is_part(word[:at], known) and _is_part(word[at:], known) for at in cuts
    )


def _forms(word: str) -> list[str]:
    return [word, *(word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))]


def _is_part(part: str, known: Collection[str]) -> bool:
    return part not in FUNCTION_WORDS and any(_is_listed(form, known) for form in (part, part.removesuffix("s")))


def _is_listed(word: str, known: Collection[str]) -> bool:
    return word in known or word in _ALSO_WORDS or word in _dictionary()


@cache
def _dictionary() -> frozenset[str]:
    """Return the words of the dictionary; reading it takes 0.2 s, so it waits for the first item."""
    return frozenset(SpellChecker(language="en").word_frequency.words())
