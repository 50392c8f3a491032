"""The story of a world: its title, its paragraphs and its quest."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal, Protocol, TypeVar

from pydantic import BaseModel, Field, StringConstraints

KINDS: Final = ("character", "faction", "setting", "event", "relic")
"""The pieces of every world, one of each."""
PARAGRAPHS_MIN: Final = 5

_ARTICLE_MAX_LENGTH: Final = 3
_ENDING_MAX_LENGTH: Final = 2

ParagraphText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
Stage = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=600)]


class Paragraph(BaseModel, frozen=True):
    """A paragraph of the story, visible while the rest is being written."""

    type: Literal["paragraph"] = "paragraph"
    text: ParagraphText


class Quest(BaseModel, frozen=True):
    """A task for players in the world."""

    title: str = Field(min_length=2, max_length=120)
    description: str = Field(min_length=2, max_length=2_000, description="The task and its stakes, 1 to 3 sentences")
    stages: list[Stage] = Field(min_length=3, max_length=6, description="Each an instruction to the players")


class Story(BaseModel, frozen=True):
    """A story that brings the pieces of a world together."""

    title: str = Field(min_length=2, max_length=120)
    paragraphs: list[ParagraphText] = Field(
        min_length=PARAGRAPHS_MIN,
        max_length=40,
        description="The story from beginning to end, 6 to 8 paragraphs of 80 to 160 words",
    )
    quest: Quest


class _Named(Protocol):
    @property
    def name(self) -> str: ...


PieceT = TypeVar("PieceT", bound=_Named)


def is_mentioned(name: str, text: str) -> bool:
    """Return whether a text mentions a name, in any case and with the endings that many languages add to names."""
    words, found = name.casefold().split(), text.casefold()
    if " ".join(words) in found:
        return True
    stems = [_stem(word) for word in words if len(word) > _ARTICLE_MAX_LENGTH] or words
    return all(stem in found for stem in stems)


def find_unmentioned(pieces: Iterable[PieceT], text: str) -> Sequence[PieceT]:
    """Return the pieces whose names a text does not mention."""
    return [piece for piece in pieces if not is_mentioned(piece.name, text)]


def _stem(word: str) -> str:
    return word[: max(_ARTICLE_MAX_LENGTH + 1, len(word) - _ENDING_MAX_LENGTH)]
