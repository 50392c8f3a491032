"""The servers of others on hosts of their own: Redis with its Sentinel, PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from loresmith.embedded.redis import find_server
from tests.chaos.children import Child
from tests.hosts.plan import REDIS_PASSWORD, REDIS_PORT, SENTINEL_PASSWORD, SENTINEL_PORT, SERVICE
from tests.hosts.switch import Switch

_DOWN_AFTER_MS: Final = 2000
_FAILOVER_MS: Final = 10_000


class RedisHost:
    """A Redis with an append-only file, as docs/scaling.md advises, and a Sentinel of the three."""

    def __init__(self, name: str, switch: Switch, folder: Path, *, primary: str) -> None:
        self.name = name
        self.address = switch.addresses[name]
        self.folder = folder / name
        self._primary = switch.addresses[primary]
        self._switch = switch
        self.server = Child(name, folder, self._server)
        self.sentinel = Child(f"{name}-sentinel", folder, self._sentinel)

    async def start(self) -> None:
        """Start the server; it answers a moment later."""
        self.folder.mkdir()
        await self.server.start()

    async def watch(self) -> None:
        """Start the Sentinel, once the replicas are there: it looks for new ones every 10 s only."""
        self._config.write_text(self._sentinel_config(), encoding="utf-8")
        await self.sentinel.start()

    @property
    def _config(self) -> Path:
        return self.folder / "sentinel.conf"

    def _server(self) -> list[str]:
        options = {
            "--port": str(REDIS_PORT),
            "--bind": self.address,
            "--dir": str(self.folder),
            "--requirepass": REDIS_PASSWORD,
            "--primaryauth": REDIS_PASSWORD,
            "--save": "",
            "--appendonly": "yes",
            "--aof-timestamp-enabled": "yes",
            "--auto-aof-rewrite-percentage": "0",  # the checks read the whole history
            "--maxmemory-policy": "noeviction",
            "--min-replicas-to-write": "1",
            "--min-replicas-max-lag": "10",
            "--repl-diskless-sync-delay": "0",
        }
        if self.address != self._primary:
            options["--replicaof"] = f"{self._primary} {REDIS_PORT}"
        words = [word for option in options.items() for word in option]
        return [*self._switch.entered(self.name), str(find_server()), *words]

    def _sentinel(self) -> list[str]:
        return [*self._switch.entered(self.name), str(find_server()), str(self._config), "--sentinel"]

    def _sentinel_config(self) -> str:
        return (
            f"port {SENTINEL_PORT}\nbind {self.address}\ndir {self.folder}\n"
            f"sentinel monitor {SERVICE} {self._primary} {REDIS_PORT} 2\n"
            f'requirepass "{SENTINEL_PASSWORD}"\nsentinel auth-pass {SERVICE} "{REDIS_PASSWORD}"\n'
            f'sentinel sentinel-pass "{SENTINEL_PASSWORD}"\n'
            f"sentinel down-after-milliseconds {SERVICE} {_DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {SERVICE} {_FAILOVER_MS}\n"
        )

    def ask(self, *words: Any) -> Any:
        """Send a command to the server."""
        return self._ask(REDIS_PORT, REDIS_PASSWORD, words)

    def ask_sentinel(self, *words: Any) -> Any:
        """Send a command to the Sentinel."""
        return self._ask(SENTINEL_PORT, SENTINEL_PASSWORD, words)

    def _ask(self, port: int, password: str, words: tuple[Any, ...]) -> Any:
        client: Any = redis.Redis(
            self.address,
            port,
            password=password,
            decode_responses=True,
            socket_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            return client.execute_command(*words)

    @property
    def follows(self) -> str | None:
        """The address of the primary that it is a replica of and in step with; None for all else."""
        told = self.ask("INFO", "replication")
        in_step = told["role"] == "slave" and told["master_link_status"] == "up"
        return str(told["master_host"]) if in_step else None

    @property
    def is_watched(self) -> bool:
        """Whether its Sentinel knows both others and both replicas."""
        facts = self.ask_sentinel("SENTINEL", "primary", SERVICE)
        return (int(facts["num-other-sentinels"]), int(facts["num-slaves"])) == (2, 2)

    @property
    def named_primary(self) -> str:
        """The address that its Sentinel names."""
        return str(self.ask_sentinel("SENTINEL", "get-primary-addr-by-name", SERVICE)[0])
