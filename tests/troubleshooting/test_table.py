"""Every row of the table has a test that is named after it, and no test is about a row that is gone."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from tests.troubleshooting.table import DOCUMENT, rows, shown_in

FRONTEND: Final = DOCUMENT.parents[1] / "frontend"
PAGE: Final = (FRONTEND / "src", FRONTEND / "packages" / "react" / "src")


def test_every_row_is_tried() -> None:
    tried = {
        node.name.removeprefix("test_").replace("_", "-")
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_")
    }
    assert rows().keys() == tried


def test_every_row_quotes_what_is_seen() -> None:
    assert [row.key for row in rows().values() if not row.messages] == []


def test_a_quotation_is_found_however_it_is_wrapped_and_only_if_it_is_there() -> None:
    printed = "wrong  redis  redis at 'redis://x' does\n       not answer"
    assert shown_in("redis at '…' does not answer", printed)
    assert not shown_in("redis at '…' does answer", printed)


def test_what_the_page_says_is_quoted_as_it_is_written() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("## In the browser")[2].partition("\n## ")[0]
    quoted = [text for line in section.splitlines() if line.startswith("| `") for text in re.findall("`([^`]+)`", line)]
    files = [path for folder in PAGE for path in folder.rglob("*.ts*")]
    sources = " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in files)
    said = [text for text in quoted if not text.startswith("loresmith ")]
    assert len(said) >= 5
    assert [text for text in said if text not in sources] == []
