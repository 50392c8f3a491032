"""What the clients of a soak ask for: jobs of every type, small ones, some of them delayed."""

from __future__ import annotations

import random
from typing import Any, Final

from loresmith.client.calls import Priority, Submission

_WEIGHTS: Final = {
    "generate_characters": 30,
    "generate_factions": 18,
    "generate_settings": 18,
    "generate_events": 16,
    "generate_relics": 16,
    "create_world": 2,
}
_COUNTS: Final = dict(zip(_WEIGHTS, (1, 2, 1, 3, 1), strict=False))
"""One size a type: what is remembered of past jobs, up to a hundred of each type and size, is then soon complete."""
_THEMES: Final = ("fantasy", "norse-mythology", "cyberpunk", "post-apocalyptic", "steampunk", "a city under the sea")
_PRIORITIES: Final[tuple[Priority, ...]] = ("high", "normal", "normal", "normal", "low")
_LATE: Final = 0.05
"""Share of jobs that are to wait some seconds before they start."""


class Orders:
    """Makes submissions, each with a token of its own in its metadata."""

    def __init__(self, seed: str) -> None:
        self._pick = random.Random(seed)
        self._made = 0
        self._seed = seed

    def make(self, key: str = "") -> Submission:
        """Return the next submission; `key` is the Idempotency-Key that it goes with, if any."""
        pick = self._pick
        self._made += 1
        name = pick.choices(list(_WEIGHTS), weights=list(_WEIGHTS.values()))[0]
        payload: dict[str, Any] = {"theme": pick.choice(_THEMES)}
        payload |= {"user_id": "7"} if name == "create_world" else {"count": _COUNTS[name]}
        return Submission(
            type=name,
            payload=payload,
            metadata={"token": f"{self._seed}-{self._made}", "key": key},
            tags=["soak"],
            priority=pick.choice(_PRIORITIES),
            delay_seconds=round(pick.uniform(1.0, 10.0), 2) if pick.random() < _LATE else None,
        )
