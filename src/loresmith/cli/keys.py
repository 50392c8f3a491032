"""`loresmith keys`: API keys, made, listed and revoked in the database of the settings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from loresmith.cli.configure import configure
from loresmith.cli.database import opened
from loresmith.cli.stack import StartError
from loresmith.cli.terminal import complain, print_json, say
from loresmith.settings import Settings
from loresmith.telemetry.escaping import escaped

if TYPE_CHECKING:
    from loresmith.db import ApiKey, Keys

T = TypeVar("T")

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_WIDTHS = (11, 20, 6, 10, 10, 10)
"""Of the columns of the list: with two spaces between them, 77."""

app = typer.Typer(help="API keys: make, list and revoke them.", no_args_is_help=True)


@app.command()
def create(
    owner: Annotated[str, typer.Argument(help="Whose jobs and worlds the key opens.")],
    admin: Annotated[bool, typer.Option("--admin", help="Let it see and do everything.")] = False,
    expires: Annotated[str | None, typer.Option(help="Let it end by itself, such as 12h, 90d or 4w.")] = None,
) -> None:
    """Make a key and print it, once: only its hash is stored."""
    settings = configure(least_log_level="error")
    ends = None if expires is None else datetime.now(UTC) + _duration(expires)
    key, made = asyncio.run(_with_keys(settings, lambda keys: _create(keys, owner, admin=admin, ends=ends)))
    say(key)  # alone, for scripts: the rest goes to standard error
    complain(f"key {made.prefix}… of {owner!r}{' (admin)' if admin else ''}, {_ending(made)}. It is not shown again.")
    if "keys" not in settings.auth:
        complain("`loresmith run` and `serve` ask for keys once LORESMITH_AUTH=keys is set.")


@app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List all keys, those that were revoked too."""
    found = asyncio.run(_with_keys(configure(least_log_level="error"), lambda keys: keys.list()))
    if as_json:
        print_json([_object(key) for key in found])
        return
    say(_row("KEY", "OWNER", "SCOPES", "CREATED", "LAST USED", "ENDS"))
    for key in found:
        used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d}"
        say(_row(key.prefix, key.owner, " ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", used, _end(key)))


@app.command()
def revoke(which: Annotated[str, typer.Argument(metavar="KEY", help="Its beginning, as listed, or its id.")]) -> None:
    """Revoke a key: within 10 seconds no server takes it any more."""
    revoked = asyncio.run(_with_keys(configure(least_log_level="error"), lambda keys: keys.revoke(which)))
    say(f"revoked {revoked.prefix}… of {revoked.owner!r}")


async def _with_keys(settings: Settings, work: Callable[[Keys], Awaitable[T]]) -> T:
    """Do something with the keys of the settings' database. Raises StartError."""
    from loresmith.db import DatabaseError, Keys

    async with opened(settings) as database:
        try:
            return await work(Keys(database))
        except DatabaseError as error:
            raise StartError(str(error)) from None


async def _create(keys: Keys, owner: str, *, admin: bool, ends: datetime | None) -> tuple[str, ApiKey]:
    from loresmith.db import ADMIN

    try:
        return await keys.create(owner, scopes=[ADMIN] if admin else [], expires_at=ends)
    except ValueError as error:
        raise StartError(str(error)) from None


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9]\d{0,3})([hdw])", text)
    if found is None:
        raise StartError(f"--expires {text!r}: expected a number of hours, days or weeks such as 12h, 90d or 4w")
    return int(found[1]) * _UNITS[found[2]]


def _ending(key: ApiKey) -> str:
    return "which does not expire" if key.expires_at is None else f"which expires {key.expires_at:%Y-%m-%d %H:%M} UTC"


def _end(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "never"
    return f"{key.expires_at:%Y-%m-%d}" if key.is_live(datetime.now(UTC)) else "expired"


def _row(*cells: str) -> str:
    shown = [
        cell if len(cell) <= width else f"{cell[: width - 1]}…"
        for cell, width in zip(map(escaped, cells), _WIDTHS, strict=True)
    ]
    return "  ".join(cell.ljust(width) for cell, width in zip(shown, _WIDTHS, strict=True)).rstrip()


def _object(key: ApiKey) -> dict[str, object]:
    times = {"created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at}
    shown = {name: moment and moment.isoformat() for name, moment in (*times.items(), ("revoked_at", key.revoked_at))}
    return {"id": key.id, "prefix": key.prefix, "owner": key.owner, "scopes": list(key.scopes), **shown}
