"""Standard streams of a command, whatever they are: closed, full, cut off by their reader, or in another encoding."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of writing to a file, such as the one that output goes to."""
CUT_OFF = 141
"""Exit code of a command whose reader has gone: that of one that SIGPIPE ended."""


def prepare_streams() -> None:
    """Make sure that all three are there, and that no character is too much for them.

    A closed descriptor is the next one that is given out, to a socket or the database: what is printed would go there.
    """
    for number in range(3):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115 - open as long as the process
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # one that is read too has a place that a pipe does not know
                stream.reconfigure(errors="backslashreplace")
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(encoding="utf-8")  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


def read_words(words: Sequence[str]) -> list[str]:
    """Return words of a command line as UTF-8, whatever the locale says. Raises UnicodeError."""
    return [os.fsencode(word).decode("utf-8") for word in words]


def flush_output() -> int:
    """Write what was printed; return 0, or the exit code of a command whose output could not be written.

    What cannot be written is dropped: the interpreter would try once more as it ends, and print a trace.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        return CUT_OFF
    except OSError as error:
        drop_output()
        sys.stderr.write(f"loresmith: cannot write: {(error.strerror or str(error)).lower()}\n")
        return 1
    return 0


def drop_output() -> None:
    """Let nothing more be written to standard output."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
