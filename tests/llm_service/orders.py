"""A small schema and requests for it."""

from __future__ import annotations

from typing import Any

from loresmith.llm.port import Final, GenerationEvent, GenerationRequest, LoreModel

KNIGHT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 3, "maxLength": 30},
        "traits": {
            "type": "array",
            "items": {"type": "string", "maxLength": 24},
            "minItems": 2,
            "maxItems": 2,
        },
        "health": {"type": "integer", "minimum": 50, "maximum": 150},
    },
    "required": ["name", "traits", "health"],
    "additionalProperties": False,
}
VALID = '{"name":"Kael","traits":["stern","kind"],"health":90}'


def order(prompt: str = "A knight.", **changes: Any) -> GenerationRequest:
    """A request for a knight."""
    return GenerationRequest("You write lore.", prompt, KNIGHT, job_id="job-1", **changes)


async def collect(
    model: LoreModel, request: GenerationRequest, *, into: list[GenerationEvent] | None = None
) -> list[GenerationEvent]:
    """All events of one generation; `into` keeps those before an error."""
    events: list[GenerationEvent] = [] if into is None else into
    async for event in model.generate(request, timeout_seconds=20):
        events.append(event)  # noqa: PERF401 (they are kept when it fails)
    return events


def final_of(events: list[GenerationEvent]) -> str:
    """The whole object that was generated."""
    return next(event.json for event in events if isinstance(event, Final))
