"""Events: the history of a world."""

from typing import Literal

from pydantic import BaseModel, Field

from loresmith.lore.piece import NAME_MAX_LENGTH, LorePiece, Phrase, Prose, Rating


class EventStats(BaseModel):
    """Age, severity and fame."""

    years_ago: int = Field(ge=1, le=500)
    severity: Rating
    fame: Rating


class EventDetails(BaseModel):
    """The details of a lore piece of type `event`."""

    kind: Phrase = Field(description="The kind of event, a few words")
    time: Phrase = Field(description="A moment in the calendar of the world, a few words")
    setting: str | None = Field(max_length=NAME_MAX_LENGTH, description="Name of the selected setting")
    cause: Prose = Field(description="1 or 2 sentences")
    course: Prose = Field(description="The deeds and the turning point, 2 or 3 sentences")
    affected: Prose = Field(description="The people and their losses or gains, 1 or 2 sentences")
    consequence: Prose = Field(description="A trace that is still visible today, 1 or 2 sentences")
    stats: EventStats = Field(description="Fit the description")


class Event(LorePiece[EventDetails], frozen=True):
    """An event of the world's past."""

    type: Literal["event"] = "event"
