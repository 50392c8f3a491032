"""Puts examples/generate_quests.py into docs/adding-a-job-type.md (`make gen`); `--check` fails on a difference."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "adding-a-job-type.md"
EXAMPLE = ROOT / "examples" / "generate_quests.py"
BEGIN, END = "<!-- example -->\n", "<!-- end of example -->\n"


def main() -> int:
    """Writes the page, or compares it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    before = TARGET.read_text(encoding="utf-8")
    after = with_example(before)
    if not parser.parse_args().check:
        TARGET.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"the example in {TARGET.relative_to(ROOT)} is not {EXAMPLE.relative_to(ROOT)}: run `make gen`")
        return 1
    return 0


def with_example(text: str) -> str:
    """Return the page with the example between its two marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n```python\n{EXAMPLE.read_text(encoding='utf-8')}```\n\n{END}{tail}"


if __name__ == "__main__":
    sys.exit(main())
