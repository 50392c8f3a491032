"""Worlds and past jobs to store."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from loresmith.db import NewWorld, PastJob, Piece, Quest

PARAGRAPHS = [f"Paragraph {number} of a long night." for number in range(1, 6)]


def new_world(**changes: Any) -> NewWorld:
    """A world with two pieces."""
    fields: dict[str, Any] = {
        "root_job_id": str(uuid4()),
        "job_id": str(uuid4()),
        "owner": "local",
        "user_id": "7",
        "theme": "norse-mythology",
        "title": "The Long Night",
        "paragraphs": PARAGRAPHS,
        "quest": Quest(title="Bring back the sun", description="It is dark.", stages=["Wake", "Walk", "Win"]),
        "pieces": [
            Piece(kind="character", name="Björn 🐻", description="A smith.", details={"stats": {"health": 90}}),
            Piece(kind="relic", name="Ember", description="A coal that never dies.", details={"powers": ["warmth"]}),
        ],
    }
    return NewWorld(**{**fields, **changes})


def past_job(**changes: Any) -> PastJob:
    """A job that was completed."""
    fields: dict[str, Any] = {
        "job_id": str(uuid4()),
        "root_job_id": str(uuid4()),
        "type": "create_world",
        "owner": "local",
        "state": "completed",
        "created_at": datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=UTC),
        "started_at": datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC),
        "ended_at": datetime(2026, 11, 24, 12, 2, tzinfo=UTC),
        "attempts": 1,
        "rescues": 0,
        "input_tokens": 1200,
        "output_tokens": 3400,
        "cost_usd": 0.0125,
        "model": "openai:gpt-5-mini",
        "error_code": None,
    }
    return PastJob(**{**fields, **changes})
