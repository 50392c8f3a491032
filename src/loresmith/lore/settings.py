"""Settings: the places of a world."""

from typing import Literal

from pydantic import BaseModel, Field

from loresmith.lore.piece import LorePiece, Phrase, Prose, Rating


class SettingStats(BaseModel):
    """Size, danger, wealth and age."""

    population: int = Field(ge=20, le=50_000)
    danger_level: Rating
    wealth: Rating
    age_years: int = Field(ge=1, le=2000)


class SettingDetails(BaseModel):
    """The details of a lore piece of type `setting`."""

    kind: Phrase = Field(description="The kind of place, a few words")
    atmosphere: list[Phrase] = Field(min_length=1, max_length=4, description="Single words")
    landmark: Prose = Field(description="The first thing a visitor sees, 1 or 2 sentences")
    inhabitants: Prose = Field(description="The people and their daily work, 1 or 2 sentences")
    danger: Prose = Field(description="A threat that comes from this place, 1 or 2 sentences")
    resources: list[Phrase] = Field(min_length=1, max_length=4, description="1 to 4 words each")
    secret: Prose = Field(description="A hidden fact about the place, 1 or 2 sentences")
    stats: SettingStats = Field(description="Fit the description")


class Setting(LorePiece[SettingDetails], frozen=True):
    """A place of the world."""

    type: Literal["setting"] = "setting"
