"""Run the loop: `python -m tests.chaos --seed SEED --rounds ROUNDS`; exit code 1 when a promise was broken."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.loop import run


def main() -> int:
    """Run the loop, print the table, and on a failure all that helps to understand it."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--fsync", choices=("always", "everysec"), default="always")
    parser.add_argument("--keep", action="store_true", help="keep logs and ledgers also when all is well")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    outcome = asyncio.run(run(options.seed, options.rounds, folder, fsync=options.fsync))
    out = sys.stdout
    out.write(f"{outcome.table}\n")
    if not outcome.findings:
        if options.keep:
            out.write("\n".join(["slowest recoveries", *map(str, outcome.slowest), f"all of it: {folder}\n"]))
        else:
            shutil.rmtree(folder)
        return 0
    out.write(f"{outcome.histories}\n\nseed {options.seed}, rounds {options.rounds}; logs and ledgers: {folder}\n")
    for finding in outcome.findings:
        out.write(f"{finding.sort}: job {finding.job or '-'} {finding.text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
