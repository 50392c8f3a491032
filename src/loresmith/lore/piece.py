"""The lore piece: the shape that characters, factions, settings, events and relics share."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

DetailsT = TypeVar("DetailsT", bound=BaseModel)


class LorePiece(BaseModel, Generic[DetailsT], frozen=True):
    """One piece of a world; `details` differs per kind, `type` names the kind."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=60)
    description: str = Field(min_length=10, max_length=600)
    details: DetailsT
    type: str
