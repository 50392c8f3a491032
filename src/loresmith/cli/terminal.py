"""The one place through which a command writes: lines for people, JSON for programs, nothing that a terminal obeys."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any, TextIO

from loresmith.cli.streams import drop_output
from loresmith.telemetry.escaping import escaped, escaped_json


def say(*lines: str) -> None:
    """Write lines to standard output, at once; none: an empty line. A line feed within a line is shown as `\\n`."""
    _write(sys.stdout, lines or ("",))


def announce(*lines: str) -> None:
    """Write lines that a server can do without: it continues when their reader has gone."""
    try:
        say(*lines)
    except OSError:
        drop_output()


def complain(*lines: str) -> None:
    """Write lines to standard error."""
    _write(sys.stderr, lines)


def complain_of(error: BaseException) -> None:
    """Write the trace of an error that nobody foresaw to standard error: its text may quote what a stranger wrote."""
    _write(sys.stderr, [line for part in traceback.format_exception(error) for line in part.rstrip("\n").split("\n")])


def print_json(document: Any, *, indent: int | None = 2) -> None:
    """Print a document as JSON; without `indent` on one line, at once."""
    text = escaped_json(json.dumps(document, indent=indent, ensure_ascii=not _takes_unicode(sys.stdout)))
    print(text, flush=True)


def _write(stream: TextIO, lines: Any) -> None:
    text = "\n".join(map(escaped, lines))
    if not _takes_unicode(stream):
        encoding = stream.encoding or "ascii"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    print(text, file=stream, flush=True)


def _takes_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")
