"""Themes that a payload may have."""

import pytest
from pydantic import TypeAdapter, ValidationError

from loresmith.lore import Theme

themes: TypeAdapter[str] = TypeAdapter(Theme)


@pytest.mark.parametrize("text", ["fantasy", "  pirates of a frozen sea ", "x" * 60, "Märchen"])
def test_a_short_line_is_a_theme(text: str) -> None:
    assert themes.validate_python(text) == text.strip()


@pytest.mark.parametrize("text", ["", "   ", "x" * 61, "a\nb", "a\x00b", "a\u202eb", 7, None])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        themes.validate_python(text)
