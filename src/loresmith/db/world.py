"""What a saved world is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of lore; `kind` is `character`, `faction` and so on, `details` differ per kind."""

    kind: str
    name: str
    description: str
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Quest:
    """What there is to do in a world, stage by stage."""

    title: str
    description: str
    stages: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorld:
    """A world to save. `root_job_id` is the first job of a chain of retries: per root one world is saved."""

    root_job_id: str
    job_id: str
    owner: str
    user_id: str
    theme: str
    title: str
    paragraphs: Sequence[str]
    quest: Quest
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSummary:
    """A world as it is listed."""

    id: str
    root_job_id: str
    job_id: str
    owner: str
    user_id: str
    theme: str
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class World(WorldSummary):
    """A saved world; `story` has a blank line between paragraphs."""

    story: str
    quest: Quest
    pieces: Sequence[Piece]

    @property
    def paragraphs(self) -> Sequence[str]:
        """The paragraphs of the story."""
        return self.story.split("\n\n")


@dataclass(frozen=True, slots=True)
class WorldPage:
    """Some worlds, newest first, and the cursor of those that follow; None when these are the last."""

    worlds: Sequence[WorldSummary]
    next_cursor: str | None
