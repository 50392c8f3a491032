"""A client that looks at all open jobs again and again, and notes when one goes back."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from loresmith.jobs import keys
from loresmith.jobs.connection import Connections
from loresmith.jobs.view import JobView, pairs_of

_PAUSE_SECONDS: Final = 0.25


@dataclass(slots=True)
class Poller:
    """Reads as the API does. `complaints` name the jobs that went back, and how."""

    socket: Path
    looks: int = 0
    complaints: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _seen: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    async def poll(self) -> None:
        """Look until cancelled; Redis may come and go."""
        client: Any = Connections(f"unix://{self.socket}").client()
        try:
            while True:
                with suppress(RedisError, OSError):
                    await self._look(client)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await client.aclose()

    async def _look(self, client: Any) -> None:
        references = await client.zrange(keys.QueueKeys("default").open, 0, -1)
        known = {job_id for job_id, job in self._seen.items() if not job["done"]}
        ids = sorted(known | {reference.decode().partition(":")[0] for reference in references})
        if not ids:
            return
        pipeline = client.pipeline(transaction=False)
        for job_id in ids:
            pipeline.get(keys.document(job_id))
            pipeline.hgetall(keys.items(job_id))
        replies = await pipeline.execute()
        for job_id, document, items in zip(ids, replies[::2], replies[1::2], strict=True):
            if document is not None:
                flat = [part for pair in pairs_of(items) for part in pair]
                self._compare(job_id, json.loads(JobView(document, flat).body))

    def _compare(self, job_id: str, now: dict[str, Any]) -> None:
        self.looks += 1
        before = self._seen.get(job_id)
        self._seen[job_id] = now
        if before is None or before["created_at"] != now["created_at"]:  # one that was turned away and asked for anew
            return
        same = {**before, "items": 0} == {**now, "items": 0}  # the two are read one after the other
        if now["seq"] < before["seq"] or (now["seq"] == before["seq"] and not same):
            self.complaints.append((job_id, f"seq {before['seq']} was followed by another document {now['seq']}"))
        if now["progress"] < before["progress"]:
            self.complaints.append((job_id, f"progress fell from {before['progress']} to {now['progress']}"))
        if before["done"] and now != before:
            self.complaints.append((job_id, "an ended job changed"))
        if now["state"] != "completed" and any(item not in now["items"] for item in before["items"]):
            self.complaints.append((job_id, "an item that was shown is gone"))
