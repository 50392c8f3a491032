"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_versions_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "llama-cpp-python==" not in text
    for line in text.splitlines():
        assert re.match(r"\s*#|[a-z0-9._-]+==[^ ;]+( ; .+)?$", line), f"{lock.name}: not pinned: {line!r}"


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    assert phony == re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)


def test_links_of_the_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        (page.name, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []
