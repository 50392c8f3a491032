"""`loresmith run`: everything on one machine, in one process with its own Redis and model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from loresmith.cli.configure import configure
from loresmith.cli.job_types import Jobs, Only, job_options, load_registry, names_of
from loresmith.cli.listen import bind, check_exposure
from loresmith.cli.stack import Stack
from loresmith.cli.terminal import announce
from loresmith.cli.whole import GRACE_SECONDS, Whole
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.jobs import JobRegistry

_TRY = """
Try:
  curl -X POST {url}/jobs{key} -H 'Content-Type: application/json' \\
    -d '{{"type":"generate_characters","payload":{{"theme":"fantasy","count":3}}}}'
  curl {url}/jobs/<id>{key}

Ctrl-C stops everything."""
_TRY_OWN = """
Try:
  loresmith types <type>
  loresmith submit <type> field=value --watch

Ctrl-C stops everything."""
_KEY = ' -H "Authorization: Bearer $LORESMITH_API_KEY"'
STOPPING = "", f"Stopping: running jobs get {GRACE_SECONDS:.0f} s (once more: at once)"

HostOption = Annotated[str | None, typer.Option("--host", help="Address to listen on (LORESMITH_HOST).")]
PortOption = Annotated[int | None, typer.Option("--port", help="Port to listen on (LORESMITH_PORT).")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Where data is kept (LORESMITH_DATA_DIR).")]


def run(
    jobs: Jobs = None,
    only: Only = False,
    host: HostOption = None,
    port: PortOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Run everything on this machine: API, worker, lore service, and a Redis and a model where none is configured."""
    chosen = job_options(jobs, only=only)
    settings = configure(least_log_level="warning", host=host, port=port, data_dir=data_dir, **chosen)
    registry = load_registry(settings) if settings.jobs else None  # by the main thread, before anything runs
    uvloop.run(_run(settings, registry))


async def _run(settings: Settings, registry: JobRegistry | None) -> None:
    check_exposure(settings)
    with bind(settings.host, settings.port) as bound:
        whole = Whole(settings, bound, registry)
        stack = Stack()

        async def start(stack: Stack) -> None:
            await whole.start(stack)
            _announce(whole)
            stack.on_stop(lambda: announce(*STOPPING))

        await stack.run(start)


def _announce(whole: Whole) -> None:
    assert whole.registry is not None
    announce(*places_of(whole.url, whole.redis, whole.database, whole.model))
    if whole.settings.jobs:
        announce(f"  jobs   {names_of(whole.registry)}", *_TRY_OWN.split("\n"))
    else:
        key = "" if whole.settings.auth == "none" else _KEY
        announce(*_TRY.format(url=whole.url, key=key).split("\n"))


def places_of(url: str, redis: str, database: str, model: str) -> list[str]:
    """Return the lines that say what runs where."""
    return [f"LoreSmith on {url}", f"  redis  {redis}", f"  sql    {database}", f"  model  {model}"]
