"""An API with an owner who has much already, for measuring what more costs."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from loresmith.db import Database, Worlds
from loresmith.db.world import NewWorld, Piece, Quest
from loresmith.jobs import JobRegistry
from tests.api.guarded import Guarded, guarded
from tests.attacks.costs import Ask, answer
from tests.attacks.worst import Stock, jobs_of

JOBS = 1_000
_WORLDS = 30
_WIDE = {"owner_requests_per_minute": 10_000_000, "owner_active_jobs": 1_000_000}
"""So that no measurement ends at a limit: what is measured is within the usual ones, each by itself."""


@dataclass
class Stage:
    """The app, the owner's key and what they have."""

    api: Guarded
    bearer: str
    stock: Stock

    @property
    def app(self) -> FastAPI:
        return self.api.app

    async def send(self, ask: Ask) -> int:
        """Send a request once; the documents are rendered by then, the scripts loaded."""
        return await answer(self.app, ask, self.bearer)


@contextlib.asynccontextmanager
async def stage(redis: Any, registry: JobRegistry, database: Database) -> AsyncGenerator[Stage]:
    """An owner with a thousand jobs and thirty worlds, one of them of a megabyte."""
    async with guarded(redis, registry, database, **_WIDE) as api:
        bearer, _ = await api.keys.create("anna")
        for _ in range(JOBS // 100):
            assert await answer(api.app, Ask("POST", "/jobs/batch", jobs_of(100, "x" * 2_000)), bearer) == 202
        client = await api.client(bearer)
        listed = (await client.get("/jobs?limit=100")).json()["data"]
        worlds = Worlds(database)
        saved = [await worlds.save(_world(pieces=100 if not number else 3)) for number in range(_WORLDS)]
        gc.collect()
        gc.freeze()  # what is there by now is not to be looked at again and again
        yield Stage(api, bearer, Stock([job["id"] for job in listed], saved[0].id))
        gc.unfreeze()


def _world(*, pieces: int) -> NewWorld:
    details = {"notes": json.dumps(["long"] * 1_000)} if pieces > 3 else {}
    return NewWorld(
        root_job_id=str(uuid4()),
        job_id=str(uuid4()),
        owner="anna",
        user_id="anna",
        theme="fantasy",
        title="A world",
        paragraphs=["It begins. " * 20] * 10,
        quest=Quest(title="Go", description="Go there", stages=["one", "two", "three"]),
        pieces=[
            Piece(kind="relic", name=f"Relic {number}", description="It shines. " * 20, details=details)
            for number in range(pieces)
        ],
    )
