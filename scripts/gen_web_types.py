"""Generates the page's TypeScript types from docs/openapi.json (`make gen`); `--check` fails on a difference."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
SOURCE = ROOT / "docs" / "openapi.json"
TARGET = FRONTEND / "packages" / "react" / "src" / "schema.ts"


def main() -> int:
    """Writes the types, or compares them with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    generated = generate()
    if not parser.parse_args().check:
        TARGET.write_text(generated)
        return 0
    if TARGET.exists() and TARGET.read_text() == generated:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not what {SOURCE.relative_to(ROOT)} says: run `make gen`")
    return 1


def generate() -> str:
    """Return the types as openapi-typescript writes them."""
    program = FRONTEND / "node_modules" / ".bin" / "openapi-typescript"
    return subprocess.run([program, SOURCE], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
