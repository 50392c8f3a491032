"""Generates docs/openapi.json from the API and the job types (`make gen`); `--check` fails on a difference."""

import argparse
import sys
from pathlib import Path

import orjson

from loresmith.api import create_app
from loresmith.bootstrap import build_manager, build_registry, connect
from loresmith.db import Database, SqliteFile, Worlds

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "openapi.json"


def main() -> int:
    """Writes the document, or compares it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    if not parser.parse_args().check:
        TARGET.write_bytes(generate())
        return 0
    if TARGET.exists() and TARGET.read_bytes() == generate():
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not what the API says: run `make gen`")
    return 1


def generate() -> bytes:
    """Return the document of the API with the job types of this installation; no Redis and no database is needed."""
    manager = build_manager(connect("redis://unused"), build_registry())
    app = create_app(manager, Worlds(Database(SqliteFile(Path("unused")))))
    return orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    sys.exit(main())
