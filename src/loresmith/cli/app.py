"""The command `loresmith`: its commands, and how a failure to start is told."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from loresmith.cli import database, demo, keys, processes, run
from loresmith.cli.stack import StartError
from loresmith.embedded.data_dir import DataDirError
from loresmith.embedded.model import EmbeddedModelError
from loresmith.embedded.redis import EmbeddedRedisError
from loresmith.settings import SettingsError

_TOLD = (StartError, SettingsError, DataDirError, EmbeddedRedisError, EmbeddedModelError)
"""Errors whose message is one line for a person; anything else is a bug and shows its trace."""


def main() -> None:
    """The entry point: exit code 1 and one line on standard error when a command cannot do its work."""
    try:
        build_app()()
    except _TOLD as error:
        print(f"loresmith: {error}", file=sys.stderr)
        sys.exit(1)


def build_app() -> typer.Typer:
    """The typer application with every command."""
    app = typer.Typer(name="loresmith", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(root)
    for command in (run.run, demo.demo, processes.serve, processes.worker, processes.lore, database.migrate):
        app.command()(command)
    app.add_typer(keys.app, name="keys")
    return app


def root(show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Asynchronous jobs for language-model generation: submit, poll or stream, never time out."""
    if show_version:
        print(version("loresmith"))
        raise typer.Exit
