"""Clients for one Redis, told by its URL: a server, a Sentinel-watched pair, or a Cluster.

    redis://[user:password@]host:port/db         a server; `rediss://` with TLS
    unix:///path/to/socket?db=0                  a server on a socket
    redis+sentinel://[user:password@]host:port,host:port/service/db    the primary that these Sentinels name
    redis+cluster://[user:password@]host:port,host:port    a Cluster, found through any of these nodes

`rediss+sentinel://` and `rediss+cluster://` use TLS, to the Sentinels too. Options follow a `?`: `ssl_ca_certs=/path`
and other `ssl_…` names of redis-py, and `sentinel_username=`, `sentinel_password=` where Sentinels ask for them; which
there are is in loresmith.redis_url.
Sources: redis-py's `from_url`, and the forms that Lettuce and Spring use for the last two.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import redis as blocking
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode as BlockingNode
from redis.retry import Retry as BlockingRetry
from redis.sentinel import SentinelConnectionPool as BlockingSentinelConnectionPool

from loresmith.redis_url import check_redis_url, read_options

_CONNECTIONS: Final = 8
_TIMEOUT_SECONDS: Final = 5.0
_SENTINEL_SECONDS: Final = 1.0
"""Sentinels are asked one after the other: the first of them may be on the host that went away with the primary."""
_DEFAULT_PORT: Final = 6379
_TIMEOUTS: Final[dict[str, Any]] = {
    "socket_timeout": _TIMEOUT_SECONDS,
    "socket_connect_timeout": _TIMEOUT_SECONDS,
}
_SILENT: Final[dict[str, Any]] = {"driver_info": None}
"""Sends no CLIENT SETINFO: Redis 7.0 knows none, and a user with the least rights would be refused it."""

Client = Redis | RedisCluster
BlockingClient = blocking.Redis | blocking.RedisCluster


@dataclass(frozen=True, slots=True)
class Connections:
    """Makes clients for the Redis at `url`. Raises ValueError for a URL of no known form, or with an unknown option.

    Nothing is retried by the clients: they would send a whole pipeline again, and the engine alone knows what may be
    repeated. Commands wait for one of a few connections instead of failing when all are in use.
    """

    url: str

    def __post_init__(self) -> None:
        check_redis_url(self.url)

    def client(self) -> Client:
        """Return a client for one event loop; it connects when it is first used."""
        parts = urlsplit(self.url)
        if parts.scheme.endswith("+cluster"):
            nodes = [ClusterNode(host, port) for host, port in _hosts(parts)]
            return RedisCluster(startup_nodes=nodes, **_options(parts), retry=Retry(NoBackoff(), 0))
        if parts.scheme.endswith("+sentinel"):
            service, options = _sentinel(parts)
            told_by: dict[str, Any] = {**_sentinel_options(parts), "retry": Retry(NoBackoff(), 0)}
            watched = Sentinel(_hosts(parts), sentinel_kwargs=told_by)
            pool: Any = {"connection_pool_class": WatchedPool, "retry": Retry(NoBackoff(), 0)}
            return watched.master_for(service, **pool, **options)  # pyright: ignore[reportUnknownMemberType]
        pool: Any = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
            self.url.partition("?")[0],  # its options would win over ours
            max_connections=_CONNECTIONS,
            timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **_TIMEOUTS,
            **_SILENT,
            **read_options(parts),
        )
        return Redis.from_pool(pool)

    def blocking_client(self, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> BlockingClient:
        """Return a client for use in a thread, with a timeout of each answer of 5 s at the most."""
        timeout = min(_TIMEOUT_SECONDS, timeout_seconds)
        return self._blocking_client({"socket_timeout": timeout, "socket_connect_timeout": timeout})

    def _blocking_client(self, timeouts: dict[str, Any]) -> BlockingClient:
        parts, retry = urlsplit(self.url), BlockingRetry(NoBackoff(), 0)
        if parts.scheme.endswith("+cluster"):
            nodes = [BlockingNode(host, port) for host, port in _hosts(parts)]
            return blocking.RedisCluster(startup_nodes=nodes, **{**_options(parts), **timeouts}, retry=retry)
        if parts.scheme.endswith("+sentinel"):
            service, options = _sentinel(parts)
            told_by: dict[str, Any] = {**_sentinel_options(parts), "retry": retry}
            watched = blocking.Sentinel(_hosts(parts), sentinel_kwargs=told_by)
            pool: Any = {"connection_pool_class": _BlockingWatchedPool, "retry": retry}
            return watched.master_for(service, **pool, **{**options, **timeouts})  # pyright: ignore[reportUnknownMemberType]
        options: Any = {**timeouts, **_SILENT, **read_options(parts)}
        return blocking.Redis.from_url(self.url.partition("?")[0], retry=retry, **options)  # pyright: ignore[reportUnknownMemberType]


class WatchedPool(SentinelConnectionPool):
    """Closes the connections to the Sentinels with its own, which redis-py leaves open.

    When one connection fails, the idle ones go too: they lead to the same primary, and each would be found dead only
    after a timeout of its own.
    """

    async def release(self, connection: Any) -> None:
        if not connection.is_connected:
            await self.close_idle()
        await super().release(connection)

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await (super().disconnect() if inuse_connections else self.close_idle())

    async def close_idle(self) -> None:
        """Close the idle connections in one turn of the loop: redis-py would give them out half closed."""
        for connection in list(self._available_connections):
            await connection.disconnect(nowait=True)

    async def aclose(self) -> None:
        await super().aclose()
        watched: Any = self.sentinel_manager
        for sentinel in watched.sentinels:
            await sentinel.aclose()


class _BlockingWatchedPool(BlockingSentinelConnectionPool):
    """Does as `WatchedPool`, in a thread."""

    def close(self) -> None:
        super().close()
        watched: Any = self.sentinel_manager
        for sentinel in watched.sentinels:
            sentinel.close()


def _hosts(parts: SplitResult) -> list[tuple[str, int]]:
    places = parts.netloc.rpartition("@")[2].split(",")
    found = [urlsplit(f"//{place}") for place in places]
    if not all(one.hostname for one in found):
        raise ValueError(f"Redis URL {parts.scheme}://… must name its hosts as host:port,host:port")
    return [(one.hostname or "", one.port or _DEFAULT_PORT) for one in found]


def _options(parts: SplitResult) -> dict[str, Any]:
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return {**_TIMEOUTS, **_SILENT, **_credentials(unquote(user), unquote(password)), **_tls(parts)}


def _sentinel_options(parts: SplitResult) -> dict[str, Any]:
    asked = read_options(parts)
    user, password = asked.get("sentinel_username", ""), asked.get("sentinel_password", "")
    timeouts = {"socket_timeout": _SENTINEL_SECONDS, "socket_connect_timeout": _SENTINEL_SECONDS}
    return {**timeouts, **_credentials(user, password), **_tls(parts)}


def _credentials(user: str, password: str) -> dict[str, str]:
    return {name: value for name, value in (("username", user), ("password", password)) if value}


def _tls(parts: SplitResult) -> dict[str, Any]:
    if not parts.scheme.startswith("rediss"):
        return {}
    return {"ssl": True, **{name: value for name, value in read_options(parts).items() if name.startswith("ssl_")}}


def _sentinel(parts: SplitResult) -> tuple[str, dict[str, Any]]:
    service, _, db = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("Redis URL of Sentinels must end with the name of the service: …/service/db")
    return service, {**_options(parts), "db": int(db or 0)}
