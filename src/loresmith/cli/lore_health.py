"""Readiness of a lore service: what it lacks, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Mapping

from loresmith.bootstrap import Client
from loresmith.embedded.model import EmbeddedModel
from loresmith.llm_service.route import Route
from loresmith.redis_server import RedisServerError, check_server


class LoreHealth:
    """What a service needs of this machine and of Redis; a provider is not asked: that costs, and others may do."""

    def __init__(self, route: Route, child: EmbeddedModel | None, redis: Client | None, redis_url: str | None) -> None:
        self._route = route
        self._child = child
        self._redis = redis
        self._redis_url = redis_url

    async def missing(self) -> Mapping[str, str]:
        """Return what the service cannot work without, and has not."""
        gone: dict[str, str] = {}
        if self._child is not None and not self._child.base_url:
            gone["model"] = "is being started again"
        if self._redis is not None and self._redis_url is not None:
            try:
                await check_server(self._redis, self._redis_url)
            except RedisServerError:
                gone["redis"] = "does not answer"
        return gone

    async def notes(self) -> Mapping[str, str]:
        """Return the pauses for which providers asked."""
        return {
            name: f"paused for {seconds:.0f} s, as it asked" for name, seconds in (await self._route.pauses()).items()
        }
