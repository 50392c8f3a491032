"""Puts examples/generate_quests.py into docs/adding-a-job-type.md (`make gen`); `--check` fails on a difference."""

import sys

from scripts.page import ROOT, between, refresh

TARGET = ROOT / "docs" / "adding-a-job-type.md"
EXAMPLE = ROOT / "examples" / "generate_quests.py"
BEGIN, END = "<!-- example -->\n", "<!-- end of example -->\n"


def main() -> int:
    """Writes the page, or compares it with what is there."""
    return refresh(TARGET, with_example, purpose=__doc__, drift="the example is not that of examples/")


def with_example(text: str) -> str:
    """Return the page with the example between its two marks."""
    example = f"\n```python\n{EXAMPLE.read_text(encoding='utf-8')}```\n\n"
    return between(BEGIN, example, END, text=text)


if __name__ == "__main__":
    sys.exit(main())
