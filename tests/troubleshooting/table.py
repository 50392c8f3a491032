"""The rows of docs/troubleshooting.md: what each says that a user sees, and what to run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"
_ROW: Final = re.compile(r'^\| <a id="([a-z0-9-]+)"></a>(.+)\|$', re.MULTILINE)
_CODE: Final = re.compile(r"`([^`]+)`")
_COMMAND: Final = re.compile(r"(loresmith|curl|redis-cli|make|ip|ps) ")
_SERVERS: Final = re.compile(r"loresmith (run|serve|worker|lore)$|ip |ps ")
"""What a test starts as a process, and commands of the system."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: texts that the product prints, with `…` for what differs, and commands to type."""

    key: str
    messages: tuple[str, ...]
    commands: tuple[str, ...]


def rows() -> dict[str, Line]:
    """Return the rows by their key, the anchor of each."""
    found = [_line(key, cells) for key, cells in _ROW.findall(DOCUMENT.read_text(encoding="utf-8"))]
    assert len({one.key for one in found}) == len(found), "two rows have one anchor"
    return {one.key: one for one in found}


def _line(key: str, cells: str) -> Line:
    columns = cells.split(" | ")
    assert len(columns) == 4, f"row {key} has {len(columns)} columns"
    told = _CODE.findall(" ".join(columns[:2]))
    to_type = [text for text in _CODE.findall(" ".join(columns)) if _COMMAND.match(text) and not _SERVERS.match(text)]
    return Line(key, tuple(text for text in told if not _COMMAND.match(text)), tuple(to_type))


def shown_in(message: str, text: str) -> bool:
    """Whether a text has the message, however lines are wrapped; `…` stands for anything, backticks for nothing."""
    pattern = r".*?".join(re.escape(_plain(part)) for part in message.split("…"))
    return re.search(pattern, _plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())
