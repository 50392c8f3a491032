"""What all commands that ask a running server share: how it is named, how it is reached, how tables are printed."""

from __future__ import annotations

import contextlib
import re
import shutil
import textwrap
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loresmith.cli.terminal import say
from loresmith.telemetry.escaping import escaped

if TYPE_CHECKING:
    from loresmith.client import JobsClient

Url = Annotated[str | None, typer.Option("--url", help="Address of the server (LORESMITH_URL).", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_COMPLETION_SECONDS = 1.0
_LISTED = 20
_WIDTH = 80
_NARROWEST = 20
"""Characters of a column that is worth wrapping."""
_WORD = re.compile(r"[A-Za-z0-9_.-]+=?")


@contextlib.contextmanager
def connected(url: str | None) -> Generator[JobsClient]:
    """A client of the server; what it raises ends the command with a line and an exit code."""
    from loresmith.cli.exits import ExitCode, leave, leave_with
    from loresmith.client import ClientError, JobsClient
    from loresmith.settings import client_variables

    named, key = client_variables()
    try:
        client = JobsClient(url or named, key)
    except ValueError as error:
        leave(str(error), ExitCode.USAGE)
    try:
        with client:
            yield client
    except ClientError as error:
        leave_with(error)


def print_table(headings: tuple[str, ...], rows: list[tuple[str, ...]], *, wrap: bool = False) -> None:
    """Print rows in columns; what is too long for a line is cut, or wrapped, in the last one: ids stay whole."""
    rows = [tuple(map(escaped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    for row in (headings, *rows):
        line = " ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
        before = sum(widths[:-1]) + len(widths) - 1
        if wrap and width - before >= _NARROWEST:
            parts = textwrap.wrap(row[-1], width - before) or [""]
            say((line[:before] + parts[0]).rstrip(), *(" " * before + part for part in parts[1:]))
        else:
            say(line if len(line) <= width else line[: width - 1] + "…")


def complete_types(incomplete: str) -> Iterator[str]:
    """Job types that begin so, if the server is there."""
    with _quietly() as client:
        if client is not None:
            yield from _plain(one.name for one in client.job_types() if one.name.startswith(incomplete))


def complete_fields(context: typer.Context, incomplete: str) -> Iterator[str]:
    """Fields of the job type that was named before."""
    name = context.params.get("job_type")
    with _quietly() as client:
        if client is not None:
            known = next((one for one in client.job_types() if one.name == name), None)
            fields: dict[str, Any] = known.payload_schema.get("properties", {}) if known else {}
            yield from _plain(f"{field}=" for field in fields if field.startswith(incomplete))


def complete_jobs(incomplete: str) -> Iterator[str]:
    """Ids of the newest jobs that begin so."""
    with _quietly() as client:
        if client is not None:
            newest = [job.id for job, _ in zip(client.list(page_size=_LISTED), range(_LISTED), strict=False)]
            yield from _plain(job_id for job_id in newest if job_id.startswith(incomplete))


def _plain(words: Iterable[str]) -> list[str]:
    """Leave out what a shell would not take for one word: it is put into a command line."""
    return [word for word in words if _WORD.fullmatch(word)]


@contextlib.contextmanager
def _quietly() -> Generator[JobsClient | None]:
    """A client that does not keep a shell waiting; what goes wrong is no news while somebody types."""
    from loresmith.client import ClientError, JobsClient
    from loresmith.settings import SettingsError, client_variables

    with contextlib.suppress(ClientError, ValueError, SettingsError):
        url, key = client_variables()
        with JobsClient(url, key, timeout_seconds=_COMPLETION_SECONDS, retries=0) as client:
            yield client
            return
    return
