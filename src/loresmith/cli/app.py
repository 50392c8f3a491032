"""The command `loresmith`: its commands, and how a failure to start is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from loresmith.cli import (
    catalogue,
    database,
    demo,
    dev,
    doctor,
    jobs,
    keys,
    new,
    processes,
    queues,
    run,
    submit,
    watching,
    webhooks,
    worlds,
)
from loresmith.cli.stack import StartError
from loresmith.cli.streams import CUT_OFF, NO_ROOM, drop_output, flush_output, prepare_streams, read_words
from loresmith.cli.terminal import complain, complain_of, say
from loresmith.embedded.data_dir import DataDirError
from loresmith.embedded.model import EmbeddedModelError
from loresmith.embedded.redis import EmbeddedRedisError
from loresmith.pasted import VariableError
from loresmith.proxies import strip_proxies
from loresmith.settings import SettingsError

_TOLD = (StartError, SettingsError, DataDirError, EmbeddedRedisError, EmbeddedModelError, VariableError)
"""Errors whose message is one line for a person; anything else is a bug and shows its trace."""
_ASKING: dict[str, Callable[..., None]] = {
    "submit": submit.submit,
    "watch": watching.watch,
    "show": jobs.show,
    "list": jobs.list_jobs,
    "cancel": jobs.cancel,
    "retry": jobs.retry,
    "delete": jobs.delete,
    "webhooks": webhooks.webhooks,
    "types": catalogue.types,
    "stats": queues.stats,
    "pause": queues.pause,
    "resume": queues.resume,
}
"""Commands that ask a running server."""


def main() -> None:
    """Run the command line. Files that the process creates are its owner's alone, those of its children included."""
    os.umask(0o077)
    prepare_streams()
    strip_proxies()
    try:
        code = _run(sys.argv[1:])
    except Exception as error:  # a bug: its trace is written as a terminal may see it
        complain_of(error)
        code = 1
    sys.exit(code)


def _run(words: list[str]) -> int:
    try:
        code = run_command(read_words(words))
    except UnicodeError:
        return _tell("the command line is no UTF-8 text: see the locale of the terminal", 2)
    except (BrokenPipeError, SystemExit):  # the reader of the output has gone, as `head` does; typer and rich exit then
        drop_output()
        return CUT_OFF
    except OSError as error:
        if error.filename is not None or error.errno not in NO_ROOM:
            raise
        drop_output()
        return _tell(f"cannot write: {(error.strerror or str(error)).lower()}", 1)
    return flush_output() or code


def run_command(words: list[str]) -> int:
    """Run a command and return its exit code; one line on standard error says why it could not do its work.

    1, or what `loresmith.cli.exits` says of commands that ask a server; 2 for a command line that is wrong.
    """
    try:
        code = build_app()(words, prog_name="loresmith", standalone_mode=False)
    except _TOLD as error:
        return _tell(str(error), 1)
    except typer.TyperException as error:
        return _tell(error.format_message(), error.exit_code)
    except typer.Abort:
        return _tell("aborted", 1)
    return code if isinstance(code, int) else 0


def _tell(message: str, code: int) -> int:
    complain(f"loresmith: {' '.join(message.split())}")
    return code


def build_app() -> typer.Typer:
    """The typer application with every command."""
    app = typer.Typer(name="loresmith", pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(root)
    for command in (run.run, dev.dev, demo.demo, processes.serve, processes.worker, processes.lore, database.migrate):
        app.command(rich_help_panel="Server")(command)
    for command in (doctor.doctor, new.new):
        app.command(rich_help_panel="Server")(command)
    app.add_typer(keys.app, name="keys", rich_help_panel="Server")
    for name, command in _ASKING.items():
        app.command(name, rich_help_panel="Jobs of a running server")(command)
    app.add_typer(worlds.build_worlds(), name="worlds", rich_help_panel="Jobs of a running server")
    return app


def root(
    context: typer.Context, show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Asynchronous jobs for language-model generation: submit, poll or stream, never time out."""
    if show_version:
        say(version("loresmith"))
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())  # of our own words, in colours
