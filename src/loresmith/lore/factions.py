"""Factions: the organisations of a world."""

from typing import Literal

from pydantic import BaseModel, Field

from loresmith.lore.piece import LorePiece, Phrase, Prose, Rating


class FactionStats(BaseModel):
    """Size and strength."""

    members: int = Field(ge=10, le=5000)
    influence: Rating
    wealth: Rating
    secrecy: Rating


class FactionDetails(BaseModel):
    """The details of a lore piece of type `faction`."""

    kind: Phrase = Field(description="The kind of organisation, a few words")
    reputation: Phrase = Field(description="One to three words")
    goal: Prose = Field(description="The aim and its reason, 1 or 2 sentences")
    methods: list[Phrase] = Field(min_length=2, max_length=4, description="Concrete deeds, 2 to 7 words each")
    leader: Phrase = Field(description="Title and name")
    headquarters: Prose = Field(description="1 or 2 sentences")
    symbol: Phrase = Field(description="An image, a few words")
    secret: Prose = Field(description="A hidden fact that would change everything, 1 or 2 sentences")
    stats: FactionStats = Field(description="Fit the description")


class Faction(LorePiece[FactionDetails], frozen=True):
    """An organisation of the world."""

    type: Literal["faction"] = "faction"
