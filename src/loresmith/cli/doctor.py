"""`loresmith doctor`: looks at everything that LoreSmith needs, and says what to do."""

from __future__ import annotations

import asyncio
import importlib
import textwrap
from dataclasses import asdict
from typing import Annotated

import typer

from loresmith.cli.checkup import Finding, Level, look_at_api, look_at_clocks, look_at_disk
from loresmith.cli.configure import configure
from loresmith.cli.remote import AsJson, Url
from loresmith.cli.terminal import print_json, say
from loresmith.settings import Settings, SettingsError, client_variables

_WIDTH = 80
_SLOW = ("loresmith.client", "loresmith.db.schema", "loresmith.redis_server", "loresmith.cli.lore")
"""Imported before anything is timed: it takes seconds, in which no answer is read."""


AskModel = Annotated[bool, typer.Option("--model", help="ask the model for one tiny object, and print what it says")]
ClearPauses = Annotated[bool, typer.Option("--clear-pauses", help="end the pauses for which providers asked")]


def doctor(
    url: Url = None, as_json: AsJson = False, model: AskModel = False, clear_pauses: ClearPauses = False
) -> None:
    """Look at API, queue, Redis, SQL, lore service, model, clock and disk; works while the server is down, too."""
    try:
        settings = configure(least_log_level="error")
    except SettingsError as error:
        findings = [Finding("settings", Level.WRONG, str(error), "see the table of settings in README.md")]
    else:
        findings = asyncio.run(look(settings, url, ask_model=model, clear_pauses=clear_pauses))
    ill = any(one.level is Level.WRONG for one in findings)
    if as_json:
        print_json({"ok": not ill, "checks": [asdict(one) for one in findings]})
    else:
        say(*(line for one in findings for line in _lines(one)))
    raise typer.Exit(1 if ill else 0)


async def look(
    settings: Settings, url: str | None, *, ask_model: bool = False, clear_pauses: bool = False
) -> list[Finding]:
    """Look at everything, at the same time where that is possible."""
    from loresmith.cli.checkup_model import look_at_lore, look_at_pauses
    from loresmith.cli.checkup_provider import look_at_provider
    from loresmith.cli.checkup_queue import look_at_queue
    from loresmith.cli.checkup_stores import look_at_redis, look_at_sql, redis_place

    for module in _SLOW:
        importlib.import_module(module)
    named, key = client_variables()
    place = url or named or _own_url(settings)
    api, redis, sql = await asyncio.gather(
        look_at_api(place, key, named=bool(url or named)),
        look_at_redis(settings),
        look_at_sql(settings),
    )
    is_ready = api[0][0].level is Level.OK
    lore = await look_at_lore(settings, api_is_ready=is_ready)
    lore += await look_at_pauses(redis_place(settings), clear=clear_pauses)
    lore += await look_at_provider(settings) if ask_model else []
    queue = [await look_at_queue(place, key)] if is_ready else []
    rest = [
        look_at_clocks({"the API": api[1], "redis": redis[1]}),
        look_at_disk(settings.data_dir, needed=_keeps_data(settings)),
    ]
    return [*api[0], *queue, *redis[0], sql, *lore, *rest]


def _keeps_data(settings: Settings) -> bool:
    """Tell whether Redis or SQL of these settings is in the data directory."""
    return settings.redis_url is None or settings.database_url is None


def _own_url(settings: Settings) -> str:
    """Where a server with these settings listens, seen from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port or 8080}" if ":" in host else f"http://{host}:{settings.port or 8080}"


def _lines(one: Finding) -> list[str]:
    text = f"{one.found}: {one.advice}" if one.advice else one.found
    head = f"{one.level:<6} {one.name:<18} "
    lines = textwrap.wrap(text, _WIDTH - len(head), break_on_hyphens=False, break_long_words=False)
    return [(" " * len(head) if at else head) + line for at, line in enumerate(lines)]
