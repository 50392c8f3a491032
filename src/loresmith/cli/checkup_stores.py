"""What the doctor looks at in Redis and SQL."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from loresmith.cli.checkup import PATIENCE_SECONDS, Finding, Level
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.redis_server import RedisFacts

_MOST_USED = 0.85


async def look_at_redis(settings: Settings) -> tuple[list[Finding], float | None]:
    """Look at the configured Redis or the embedded one; returns also how far its clock is ahead of ours."""
    from loresmith.redis_server import RedisServerError, examine_server

    url = redis_place(settings)
    asleep = Finding("redis", Level.NOTE, "the embedded server is not running", "`loresmith run` starts it")
    if url is None:
        return [asleep], None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            facts = await examine_server(url)
    except RedisServerError as error:
        ill = Finding("redis", Level.WRONG, str(error), "start it, or correct LORESMITH_REDIS_URL")
        return [ill if settings.redis_url else asleep], None
    except TimeoutError:
        found = f"no answer within {PATIENCE_SECONDS:.0f} s"
        return [Finding("redis", Level.WRONG, found, "see whether it is overloaded or frozen")], None
    except (ValueError, TypeError):  # its text may show the password
        found = "LORESMITH_REDIS_URL has a part that is not understood"
        return [Finding("redis", Level.WRONG, found, "see docs/scaling.md")], None
    kind = "configured" if settings.redis_url else "embedded"
    findings = [Finding("redis", Level.OK, f"{facts.name}, {kind}"), _persistence(facts), _memory(facts)]
    if settings.redis_replicas:
        findings.append(_replicas(facts, settings.redis_replicas))
    return findings, facts.clock_ahead_seconds


def redis_place(settings: Settings) -> str | None:
    """Return the address of the configured Redis, or of the embedded one if that runs."""
    return settings.redis_url or _embedded_url(settings.data_dir)


def _embedded_url(data_dir: Path) -> str | None:
    """The address of the embedded server, if it has left its socket there."""
    moved = data_dir / "redis.sock.path"
    try:
        path = Path(moved.read_text(encoding="utf-8")) if moved.exists() else data_dir / "redis.sock"
        return f"unix://{quote(str(path))}" if path.is_socket() else None
    except OSError:
        return None


def _persistence(facts: RedisFacts) -> Finding:
    name = "redis persistence"
    if not facts.appends:
        found = "no append-only file: a restart loses jobs that were accepted"
        return Finding(name, Level.WRONG, found, "set `appendonly yes`")
    if facts.last_write_failed:
        return Finding(name, Level.WRONG, "its last write to the append-only file failed", "see its log and its disk")
    return Finding(name, Level.OK, "append-only file is on")


def _memory(facts: RedisFacts) -> Finding:
    name = "redis memory"
    if facts.policy != "noeviction":
        found = f"policy {facts.policy!r} throws jobs away when memory is short"
        return Finding(name, Level.WRONG, found, "set `maxmemory-policy noeviction`")
    if facts.used_share >= _MOST_USED:
        found = f"{facts.used_share:.0%} of maxmemory is used: soon no job is accepted"
        return Finding(name, Level.WRONG, found, "raise `maxmemory`")
    limit = f"{facts.used_share:.0%} of maxmemory used" if facts.used_share else "without a limit"
    return Finding(name, Level.OK, f"noeviction, {limit}")


def _replicas(facts: RedisFacts, wanted: int) -> Finding:
    found = f"{facts.replicas} connected, LORESMITH_REDIS_REPLICAS wants {wanted}"
    if facts.replicas < wanted:
        return Finding("redis replicas", Level.WRONG, found, "start replicas: until then no submit is answered")
    return Finding("redis replicas", Level.OK, found)


async def look_at_sql(settings: Settings) -> Finding:
    """Look whether the database answers and has the schema of this version."""
    from loresmith.db import DatabaseSetupError, SchemaBehindError, SqliteFile, locate
    from loresmith.db.schema import check

    try:
        location = locate(settings.database_url, data_dir=settings.data_dir)
        if isinstance(location, SqliteFile) and not _is_readable(location.path):
            found = f"{location.place} is not there yet"
            return Finding("sql", Level.NOTE, found, "the first `loresmith run` makes it")
        async with asyncio.timeout(PATIENCE_SECONDS + 3):
            await check(location)
    except SchemaBehindError as error:
        return Finding("sql", Level.WRONG, str(error), "run `loresmith migrate`")
    except DatabaseSetupError as error:
        return Finding("sql", Level.WRONG, str(error), "start it, or correct LORESMITH_DATABASE_URL")
    except TimeoutError:
        return Finding("sql", Level.WRONG, "the database does not answer", "see whether it is overloaded")
    return Finding("sql", Level.OK, f"{location.place}, schema is current")


def _is_readable(path: Path) -> bool:
    return path.exists() and os.access(path, os.R_OK)
