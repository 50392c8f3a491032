"""A page of the docs with parts that are generated: written by `make gen`, compared by `--check`."""

import argparse
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def refresh(page: Path, filled: Callable[[str], str], *, purpose: str | None, drift: str) -> int:
    """Write the page as `filled` makes it from its text, or with `--check` compare; return the exit code.

    `purpose` is what `--help` says, `drift` what is said of a difference: "the settings are not what the code says".
    """
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    before = page.read_text(encoding="utf-8")
    after = filled(before)
    if not parser.parse_args().check:
        page.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"{page.relative_to(ROOT)}: {drift}: run `make gen`")
        return 1
    return 0


def between(begin: str, part: str, end: str, *, text: str) -> str:
    """Return a text with the part between two marks, which stay."""
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{part}{end}{tail}"
