"""A process that writes the history and is killed: after its first commit, or before it."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from loresmith.bootstrap import build_history
from loresmith.db import Database, locate
from loresmith.jobs import EndedJob


async def main(redis_url: str, database_url: str, when: str = "after") -> None:
    """Record one batch and die."""
    reader = build_history(redis_url, Database(locate(database_url, data_dir=Path())))
    record = reader._follow

    async def record_and_die(ended: Sequence[EndedJob]) -> None:
        if when == "after":
            await record(ended)
        os.kill(os.getpid(), signal.SIGKILL)

    reader._follow = record_and_die
    await reader.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
