"""The manuals of operation name files, settings and make targets that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loresmith.settings import OF_CLIENTS, PREFIX, Settings
from tests.deploy.compose import ROOT

PAGES = [ROOT / "docs" / name for name in ("deploy.md", "scaling.md", "security.md")] + [ROOT / "SECURITY.md"]
WRITTEN_BY_OTHERS = {"LORESMITH_API_PORT", "LORESMITH_METRICS_LISTEN"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = re.findall(r"`((?:tests|scripts|deploy|src|requirements|docs)/[\w./@-]+)", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_are_named_are_there(page: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {*OF_CLIENTS} | WRITTEN_BY_OTHERS
    for name in set(re.findall(r"LORESMITH_[A-Z_]+", page.read_text())):
        if name.endswith("_"):  # `LORESMITH_OWNER_…`
            assert any(one.startswith(name) for one in known), name
        else:
            assert name in known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_that_are_named_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?\bmake ([a-z]+(?:-[a-z]+)*)`", page.read_text())) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_anchors_lead_to_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*\.md)?#([\w-]+)\)", page.read_text()):
        text = (page.parent / target if target else page).read_text()
        headings = {_anchor(line) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
        assert anchor in headings, f"{page.name}: {target}#{anchor}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
