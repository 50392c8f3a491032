"""The rights in Redis that the documentation gives, read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"


def documented_rights(password: str) -> list[str]:
    """Return the words of the line that makes the user `loresmith`, with a password in the place of the example's."""
    [line] = [line for line in _PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("ACL SETUSER ")]
    return [f">{password}" if word == ">secret" else word for word in line.split()]
