"""Generates the plain client from the one for asyncio (`make gen`); `--check` fails on a difference.

The sources are written for it: each name of asyncio has one plain counterpart. What differs otherwise belongs into a
module that both clients share. (unasyncd would do it, but it pins rich to 13.)
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CLIENT: Final = ROOT / "src" / "loresmith" / "client"
FILES: Final = {"async_client.py": "sync_client.py", "async_job.py": "sync_job.py"}
NAMES: Final = {
    r"async (?=def|for|with)": "",
    r"await ": "",
    r"import asyncio\n": "",
    r"asyncio\.sleep": "time.sleep",
    r"\bAsync(?=\w)": "",
    r"\.Async(?=\w)": ".",
    r"\basync_(?=client|job)": "sync_",
    r"__a(?=enter__|exit__)": "__",
    r"\ba(?=closing|close\(|next\(|read\(|iter_bytes\()": "",
}
"""What is a name of asyncio, as regular expressions, and what takes its place."""
SENTENCES: Final = {
    "The client for asyncio; the same as `JobsClient`": "The client for plain code; the same as `AsyncJobsClient`",
    "as an object, for asyncio; the same as `JobHandle`": "as an object; the same as `AsyncJobHandle`",
    "Belongs to one event loop; close it, or use it in an `with`": (
        "Threads may share it; close it, or use it in a `with`"
    ),
}
"""What is left of asyncio then, and what the plain client says instead."""


def main() -> int:
    """Write the plain client, or compare it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    drifted = 0
    for source, target in FILES.items():
        made = generate(CLIENT / source, CLIENT / target)
        if not check:
            (CLIENT / target).write_text(made, encoding="utf-8")
        elif (CLIENT / target).read_text(encoding="utf-8") != made:
            print(f"{(CLIENT / target).relative_to(ROOT)} is not what {source} says: run `make gen`")
            drifted = 1
    return drifted


def generate(source: Path, target: Path) -> str:
    """Return the plain counterpart of a module."""
    text = source.read_text(encoding="utf-8")
    for name, plain in NAMES.items():
        text = re.sub(name, plain, text)
    for words, plain in SENTENCES.items():
        text = text.replace(words, plain)
    text = f"# Generated from {source.name} by scripts/gen_client.py: change that file, and run `make gen`.\n{text}"
    for command in (["check", "--fix-only", "--unsafe-fixes", "--select", "I,F401,UP028"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", f"--stdin-filename={target}", "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    sys.exit(main())
