"""Which hosts there are, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

CLIENT: Final = "client"
POSTGRES: Final = "postgres"
SERVICE: Final = "lore"
"""What the Sentinels call the primary, and all what workers call the lore hosts."""
REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
API_PORT: Final = 8080
LORE_PORT: Final = 50051
REDIS_PASSWORD: Final = "of the redis hosts"
SENTINEL_PASSWORD: Final = "of the sentinels"
_NETWORK: Final = "10.77.0"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many hosts of each kind, how many clients on the client host, and how long one call to the model takes."""

    apis: int = 2
    workers: int = 3
    lores: int = 2
    clients: int = 12
    call_seconds: float = 0.8

    @property
    def redis(self) -> list[str]:
        """Hosts with a Redis and a Sentinel each; the first is the primary at first."""
        return _numbered("redis", 3)

    @property
    def api(self) -> list[str]:
        return _numbered("api", self.apis)

    @property
    def worker(self) -> list[str]:
        return _numbered("worker", self.workers)

    @property
    def lore(self) -> list[str]:
        return _numbered("lore", self.lores)

    @property
    def addresses(self) -> dict[str, str]:
        """host → IPv4 address"""
        kinds = ([CLIENT], self.redis, [POSTGRES], self.api, self.worker, self.lore)
        return {
            host: f"{_NETWORK}.{10 * tens + n}" for tens, kind in enumerate(kinds, 1) for n, host in enumerate(kind)
        }

    @property
    def names(self) -> dict[str, list[str]]:
        """Name → addresses: the one of all lore hosts. Hosts have no names beside it: see docs/scaling.md."""
        return {SERVICE: [self.addresses[host] for host in self.lore]}

    @property
    def redis_url(self) -> str:
        """The primary, as the Sentinels name it."""
        sentinels = ",".join(f"{self.addresses[host]}:{SENTINEL_PORT}" for host in self.redis)
        asked = f"sentinel_password={quote(SENTINEL_PASSWORD)}"
        return f"redis+sentinel://:{quote(REDIS_PASSWORD)}@{sentinels}/{SERVICE}/0?{asked}"

    @property
    def database_url(self) -> str:
        return f"postgresql://tester@{self.addresses[POSTGRES]}:5432/postgres"

    @property
    def api_urls(self) -> list[str]:
        return [f"http://{self.addresses[host]}:{API_PORT}" for host in self.api]


WHOLE: Final = Plan()
SHORT: Final = Plan(apis=1, workers=2, lores=1, clients=8)


def _numbered(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(1, count + 1)]
