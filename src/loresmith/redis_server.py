"""What LoreSmith needs of a Redis server, checked before anything is built on it."""

from __future__ import annotations

from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError, RedisError

from loresmith.jobs.connection import Client

LEAST_VERSION = (6, 2)


class RedisServerError(Exception):
    """The configured Redis cannot be used; the message names it, without its password."""


async def check_server(client: Client, url: str) -> str:
    """Return the server's name and version, such as `redis 7.4.1`. Raises RedisServerError."""
    place = f"redis at {place_of(url)!r}"
    try:
        info: dict[str, str] = await client.info("server")  # pyright: ignore[reportUnknownMemberType]
    except AuthenticationError:
        raise RedisServerError(f"{place} refuses the credentials: see LORESMITH_REDIS_URL") from None
    except (RedisError, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).rstrip(".")
        raise RedisServerError(f"{place} does not answer ({reason}): see LORESMITH_REDIS_URL") from None
    version = str(info.get("redis_version", "0"))
    if version_numbers(version) < LEAST_VERSION:
        raise RedisServerError(f"{place} is version {version}: expected 6.2 or newer, or Valkey")
    return f"valkey {info['valkey_version']}" if "valkey_version" in info else f"redis {version}"


def place_of(url: str) -> str:
    """Where `url` points, without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def version_numbers(version: str) -> tuple[int, ...]:
    """`7.4.1-rc1` as (7, 4)."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])
