"""Runs every `scripts/gen_*.py` in one process (`make gen`); `--check` compares and fails on a difference."""

import importlib
import sys
from pathlib import Path


def main() -> int:
    """Run them in the order of their names; return the worst exit code."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("gen_*.py"))
    return max(importlib.import_module(f"scripts.{name}").main() for name in names)


if __name__ == "__main__":
    sys.exit(main())
