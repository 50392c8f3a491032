"""Generates the table of settings in README.md (`make gen`); `--check` fails on a difference."""

from __future__ import annotations

import sys

from pydantic.fields import FieldInfo

from loresmith.settings import PREFIX, Settings
from scripts.page import ROOT, between, refresh

TARGET = ROOT / "README.md"
BEGIN, END = "<!-- settings: written by `make gen` -->\n", "<!-- end of settings -->\n"


def main() -> int:
    """Writes the table, or compares it with what is there."""
    return refresh(TARGET, with_table, purpose=__doc__, drift="the settings are not what the code says")


def with_table(text: str) -> str:
    """Return the page with the table of today's settings between its two marks."""
    rows = [row(name, field) for name, field in Settings.model_fields.items()]
    table = "| variable | default | what |\n|---|---|---|\n" + "".join(rows)
    return between(BEGIN, table, END, text=text)


def row(name: str, field: FieldInfo) -> str:
    """Return the line of one setting."""
    default = "`~/.local/share/loresmith`" if name == "data_dir" else f"`{field.default}`"
    return f"| `{PREFIX}{name.upper()}` | {'' if field.default is None else default} | {field.description} |\n"


if __name__ == "__main__":
    sys.exit(main())
