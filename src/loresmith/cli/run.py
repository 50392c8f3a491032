"""`loresmith run`: everything on one machine, in one process with its own Redis and model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from loresmith.cli.configure import configure
from loresmith.cli.listen import bind, check_exposure
from loresmith.cli.stack import Stack
from loresmith.cli.terminal import announce
from loresmith.cli.whole import GRACE_SECONDS, Whole
from loresmith.settings import Settings

_TRY = """
Try:
  curl -X POST {url}/jobs{key} -H 'Content-Type: application/json' \\
    -d '{{"type":"generate_characters","payload":{{"theme":"fantasy","count":3}}}}'
  curl {url}/jobs/<id>{key}

Ctrl-C stops everything."""
_KEY = ' -H "Authorization: Bearer $LORESMITH_API_KEY"'
_STOPPING = "", f"Stopping: running jobs get {GRACE_SECONDS:.0f} s (once more: at once)"


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on (LORESMITH_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (LORESMITH_PORT).")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where data is kept (LORESMITH_DATA_DIR).")] = None,
) -> None:
    """Run everything on this machine: API, worker, lore service, and a Redis and a model where none is configured."""
    uvloop.run(_run(configure(least_log_level="warning", host=host, port=port, data_dir=data_dir)))


async def _run(settings: Settings) -> None:
    check_exposure(settings)
    with bind(settings.host, settings.port) as bound:
        whole = Whole(settings, bound)
        stack = Stack()

        async def start(stack: Stack) -> None:
            await whole.start(stack)
            _announce(whole)
            stack.on_stop(lambda: announce(*_STOPPING))

        await stack.run(start)


def _announce(whole: Whole) -> None:
    key = "" if whole.settings.auth == "none" else _KEY
    lines = [f"LoreSmith on {whole.url}", f"  redis  {whole.redis}", f"  sql    {whole.database}"]
    announce(*lines, f"  model  {whole.model}", *_TRY.format(url=whole.url, key=key).split("\n"))
