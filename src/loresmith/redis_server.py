"""What LoreSmith needs of a Redis server, checked before anything is built on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from loresmith.jobs.connection import Client, Connections

LEAST_VERSION = (6, 2)
_RIGHTS = "give it the rights of docs/scaling.md (ACL SETUSER)"


class RedisServerError(Exception):
    """The configured Redis cannot be used; the message names it, without its password."""


async def check_server(client: Client, url: str) -> str:
    """Return the server's name and version, such as `redis 7.4.1`. Raises RedisServerError."""
    place = f"redis at {place_of(url)!r}"
    try:
        info: dict[str, str] = await client.info("server")  # pyright: ignore[reportUnknownMemberType]
    except AuthenticationError:
        raise RedisServerError(f"{place} refuses the credentials: see LORESMITH_REDIS_URL") from None
    except NoPermissionError:
        raise RedisServerError(f"{place} does not let this user do what is needed: {_RIGHTS}") from None
    except MasterNotFoundError:  # its own text has a client's repr for each Sentinel that is away
        raise RedisServerError(f"{place}: no Sentinel that answers names a primary, see LORESMITH_REDIS_URL") from None
    except (RedisError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).rstrip(".")
        raise RedisServerError(f"{place} does not answer ({reason}): see LORESMITH_REDIS_URL") from None
    version = str(info.get("redis_version", "0"))
    if version_numbers(version) < LEAST_VERSION:
        raise RedisServerError(f"{place} is version {version}: expected 6.2 or newer, or Valkey")
    return f"valkey {info['valkey_version']}" if "valkey_version" in info else f"redis {version}"


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """How a server is set up, as far as the safety of jobs depends on it."""

    name: str
    """Such as `redis 7.4.1`."""
    appends: bool
    """Whether it has an append-only file."""
    last_write_failed: bool
    policy: str
    used_share: float
    """Of the memory that it may use; 0 where that is not limited."""
    replicas: int
    clock_ahead_seconds: float
    """Of the clock of this machine."""


async def examine_server(url: str) -> RedisFacts:
    """Look at the server at `url`. Raises RedisServerError, and ValueError for a URL with a part that is unknown."""
    async with Connections(url).client() as client:
        name = await check_server(client, url)
        reader: Any = client
        try:
            info: dict[str, Any] = await reader.info("everything")
            before = time.time()
            seconds, microseconds = await reader.time()
            now = (before + time.time()) / 2
        except (RedisError, OSError) as error:
            raise RedisServerError(f"redis at {place_of(url)!r} does not tell how it is set up ({error})") from None
    limit = int(info.get("maxmemory", 0))
    return RedisFacts(
        name=name,
        appends=bool(int(info.get("aof_enabled", 0))),
        last_write_failed=info.get("aof_last_write_status", "ok") != "ok",
        policy=str(info.get("maxmemory_policy", "")),
        used_share=int(info.get("used_memory", 0)) / limit if limit else 0.0,
        replicas=int(info.get("connected_slaves", 0)),
        clock_ahead_seconds=int(seconds) + int(microseconds) / 1e6 - now,
    )


def place_of(url: str) -> str:
    """Where `url` points, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def version_numbers(version: str) -> tuple[int, ...]:
    """`7.4.1-rc1` as (7, 4)."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])
