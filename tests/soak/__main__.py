"""Run it: `python -m tests.soak --minutes N`; exit code 1 when a promise was broken or a figure grows."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from tests.soak.loop import run

_SHOWN = 50


def main() -> int:
    """Run, and print the tables and, on a failure, all that must not be."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--in-flight", type=int, default=1000, help="jobs that are open all the time")
    parser.add_argument("--postgres", action="store_true", help="worlds and history in a PostgreSQL, not in SQLite")
    parser.add_argument("--keep", action="store_true", help="keep logs and the append-only file also when all is well")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    folder.joinpath("data").mkdir()
    outcome = asyncio.run(
        run(
            folder,
            minutes=options.minutes,
            in_flight=options.in_flight,
            postgres=options.postgres,
            say=lambda text: _say(text, sys.stderr),
        )
    )
    _say(f"{outcome.happened}\n\n{outcome.figures}", sys.stdout)
    if not outcome.findings and not options.keep:
        shutil.rmtree(folder)
    for finding in outcome.findings[:_SHOWN]:
        _say(f"{finding.sort}: job {finding.job or '-'} {finding.text}", sys.stdout)
    if outcome.findings:
        _say(f"{len(outcome.findings)} in all; logs and files: {folder}", sys.stdout)
    return 1 if outcome.findings else 0


def _say(text: str, place: TextIO) -> None:
    place.write(f"{text}\n")
    place.flush()


if __name__ == "__main__":
    sys.exit(main())
