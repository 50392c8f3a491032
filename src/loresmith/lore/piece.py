"""The lore piece: the shape that characters, factions, settings, events and relics share, and what asks for them."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from loresmith.lore.theme import Theme

DetailsT = TypeVar("DetailsT", bound=BaseModel)

Sentence = Annotated[str, StringConstraints(min_length=10, max_length=600)]
FewWords = Annotated[str, StringConstraints(min_length=2, max_length=120)]
OfTen = Annotated[int, Field(ge=1, le=10)]


class LorePiece(BaseModel, Generic[DetailsT], frozen=True):
    """One piece of a world; `details` differs per kind, `type` names the kind."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=60)
    description: str = Field(min_length=10, max_length=600)
    details: DetailsT
    type: str


class ThemedItems(BaseModel):
    """What every job takes whose result is lore pieces of one kind."""

    model_config = ConfigDict(extra="forbid")

    theme: Theme
    count: int = Field(default=3, ge=1, le=10)
