"""The shape that characters, factions, settings, events and relics share, and the payload that asks for them."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from loresmith.lore.theme import Theme

NAME_MAX_LENGTH = 80
PROSE_MAX_LENGTH = 2_000

DetailsT = TypeVar("DetailsT", bound=BaseModel)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX_LENGTH)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=PROSE_MAX_LENGTH)]
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Rating = Annotated[int, Field(ge=1, le=10)]


class LorePiece(BaseModel, Generic[DetailsT], frozen=True):
    """One piece of a world; `details` differ per kind, and `type` names the kind."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description="Original, and right for the culture of the world")
    description: Prose = Field(description="2 to 4 vivid sentences that make this one unlike any other")
    details: DetailsT
    type: str


class ThemedItems(BaseModel):
    """The payload of every job whose result is lore pieces of one kind."""

    model_config = ConfigDict(extra="forbid")

    theme: Theme
    count: int = Field(default=3, ge=1, le=10)
