"""Characters: the people of a world."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from loresmith.lore.piece import LorePiece, Phrase, Prose

Score = Annotated[int, Field(ge=8, le=18)]


class CharacterStats(BaseModel):
    """Eight integers within their bounds."""

    health: int = Field(ge=50, le=150)
    stress: int = Field(ge=0, le=50)
    knowledge: Score
    empathy: Score
    resilience: Score
    creativity: Score
    influence: Score
    perception: Score


class CharacterDetails(BaseModel):
    """The details of a lore piece of type `character`."""

    role: Phrase = Field(description="Place in society, a few words")
    appearance: Prose = Field(description="1 to 3 sentences")
    backstory: Prose = Field(description="A paragraph: what made them who they are")
    traits: list[Phrase] = Field(min_length=3, max_length=3, description="A virtue, a flaw, a temperament")
    skills: list[Phrase] = Field(min_length=3, max_length=5, description="Specific, 2 to 5 words each")
    stats: CharacterStats = Field(description="Fit role and past")


class Character(LorePiece[CharacterDetails], frozen=True):
    """A person of the world."""

    type: Literal["character"] = "character"
