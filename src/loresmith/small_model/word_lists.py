"""Lists of words that a kind of item offers: written as text, drawn by a seed."""

from collections.abc import Sequence
from random import Random
from typing import Final

INITIALS: Final = "ABCDEGHIKLMNOPRSTVW"
"""Letters that a name may start with."""


def word_list(text: str) -> list[str]:
    """Return what stands between the commas of a text, free of line breaks."""
    return [" ".join(each.split()) for each in text.split(",")]


def draw(random: Random, choices: Sequence[str], count: int) -> list[str]:
    """Return `count` of the choices in random order, none twice before each came once."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += random.sample(choices, len(choices))
    return drawn[:count]


def angles(random: Random, count: int, *lists: Sequence[str]) -> list[tuple[str, ...]]:
    """Return `count` combinations of one word of each list, as different as the lists allow."""
    return list(zip(*(draw(random, choices, count) for choices in lists), strict=True))
