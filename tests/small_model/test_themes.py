"""Themes in the prompts of a guided model."""

import pytest

from loresmith.lore import KNOWN_THEMES
from loresmith.small_model.themes import describe_theme
from tests.small_model.guides import ATTACKS


@pytest.mark.parametrize("theme", KNOWN_THEMES)
def test_a_known_theme_is_described_by_its_contents(theme: str) -> None:
    described = describe_theme(theme)

    assert theme not in described
    assert len(described.split()) > 5


def test_a_free_theme_stands_as_it_is() -> None:
    assert describe_theme("pirates of a frozen sea") == '"pirates of a frozen sea"'


@pytest.mark.parametrize("text", ATTACKS)
def test_a_theme_cannot_leave_its_quotation(text: str) -> None:
    described = describe_theme(text)

    assert described.startswith('"')
    assert described.endswith('"')
    assert not set('"“”\n<>{}[]`|').intersection(described[1:-1])
