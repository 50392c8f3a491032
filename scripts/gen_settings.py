"""Generates the table of settings in README.md (`make gen`); `--check` fails on a difference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from loresmith.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "README.md"
BEGIN, END = "<!-- settings: written by `make gen` -->\n", "<!-- end of settings -->\n"


def main() -> int:
    """Writes the table, or compares it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    before = TARGET.read_text(encoding="utf-8")
    after = with_table(before)
    if not parser.parse_args().check:
        TARGET.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"the settings in {TARGET.relative_to(ROOT)} are not what the code says: run `make gen`")
        return 1
    return 0


def with_table(text: str) -> str:
    """Return the page with the table of today's settings between its two marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [row(name, field) for name, field in Settings.model_fields.items()]
    table = "| variable | default | what |\n|---|---|---|\n" + "".join(rows)
    return f"{head}{BEGIN}{table}{END}{tail}"


def row(name: str, field: FieldInfo) -> str:
    """Return the line of one setting."""
    default = "`~/.local/share/loresmith`" if name == "data_dir" else f"`{field.default}`"
    return f"| `{PREFIX}{name.upper()}` | {'' if field.default is None else default} | {field.description} |\n"


if __name__ == "__main__":
    sys.exit(main())
