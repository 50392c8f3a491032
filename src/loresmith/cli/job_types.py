"""Job types of a process: those that its settings name, and the options of commands that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from loresmith.cli.stack import StartError
from loresmith.setting_types import words
from loresmith.settings import Settings

if TYPE_CHECKING:
    from loresmith.jobs import JobRegistry

_PRODUCT = "loresmith.job_types."

Jobs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOBS]...",
        help="Files (jobs.py) or modules (package.jobs) with job types of your own (LORESMITH_JOBS).",
        show_default=False,
    ),
]
Only = Annotated[
    bool,
    typer.Option("--only", help="Leave out LoreSmith's own job types and pages (LORESMITH_JOBS_ONLY)."),
]


def job_options(jobs: list[str] | None, *, only: bool) -> dict[str, Any]:
    """Return the settings that a command line chose."""
    return {"jobs": ",".join(jobs) if jobs else None, "jobs_only": only or None}


def load_registry(settings: Settings) -> JobRegistry:
    """Import the job types that the settings name. Raises StartError."""
    from loresmith.bootstrap import build_registry
    from loresmith.jobs import JobModuleError

    try:
        registry = build_registry(words(settings.jobs or ""), product=not settings.jobs_only)
    except JobModuleError as error:
        raise StartError(str(error)) from None
    if not list(registry):
        raise StartError("there are no job types: name a file or a module that has some, or leave --only out")
    return registry


def names_of(registry: JobRegistry) -> str:
    """Return the names of people's own job types, and how many others there are, as a line."""
    own = [kind.name for kind in registry if not kind.handler.__module__.startswith(_PRODUCT)]
    others = len(list(registry)) - len(own)
    return ", ".join([*own, *([f"and {others} of LoreSmith"] if others else [])])
