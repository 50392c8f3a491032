"""A worker of the product as a process of its own: `python -m tests.fleet.lore_worker REDIS LORE DIRECTORY`.

As `loresmith worker`, with a lease of one second; the database is a SQLite file in the directory.
"""

import asyncio
import sys
from pathlib import Path

from loresmith.bootstrap import build_registry, classify
from loresmith.db import Database, Worlds, locate
from loresmith.jobs import Worker
from loresmith.jobs.connection import Connections
from loresmith.llm.client import GrpcLoreModel
from loresmith.llm.port import LoreModel
from tests.pacing import QUICK


async def main() -> None:
    """Work until killed."""
    worker = Worker(
        connections=Connections(sys.argv[1]),
        registry=build_registry(),
        resources={
            LoreModel: GrpcLoreModel(sys.argv[2]),
            Worlds: Worlds(Database(locate(None, data_dir=Path(sys.argv[3])))),
        },
        classify=classify,
        concurrency=1,
        lease_seconds=1.0,
        pacing=QUICK,
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
