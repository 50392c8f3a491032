"""Relics: the precious objects of a world."""

from typing import Literal

from pydantic import BaseModel, Field

from loresmith.lore.piece import NAME_MAX_LENGTH, LorePiece, Phrase, Prose, Rating

Rarity = Literal["common", "uncommon", "rare", "legendary", "unique"]


class RelicStats(BaseModel):
    """Power, value and age."""

    power_level: Rating
    value: Rating
    age_years: int = Field(ge=1, le=3000)


class RelicDetails(BaseModel):
    """The details of a lore piece of type `relic`."""

    kind: Phrase = Field(description="The kind of object, a few words")
    material: Phrase = Field(description="A few words")
    rarity: Rarity
    appearance: Prose = Field(description="1 or 2 sentences")
    power: Prose = Field(description="Its effect and its limits, 1 or 2 sentences")
    cost: Prose = Field(description="The price of its power for the user, 1 or 2 sentences")
    origin: Prose = Field(description="Its maker and the reason, 1 or 2 sentences")
    keeper: Prose = Field(description="The present owner and their plans for it, 1 or 2 sentences")
    setting: str | None = Field(max_length=NAME_MAX_LENGTH, description="Name of the selected setting")
    event: str | None = Field(max_length=NAME_MAX_LENGTH, description="Name of the selected event")
    stats: RelicStats = Field(description="Fit the description")


class Relic(LorePiece[RelicDetails], frozen=True):
    """A precious object of the world."""

    type: Literal["relic"] = "relic"
