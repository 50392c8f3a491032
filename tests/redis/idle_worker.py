"""A process that rescues what falls silent, and knows no job type: `python -m tests.redis.idle_worker URL`."""

import asyncio
import sys

from loresmith.jobs.connection import Connections
from loresmith.jobs.pipeline import Pipeline
from loresmith.jobs.queue import Queue
from loresmith.jobs.store import Store


async def main(url: str) -> None:
    """Take over whatever was silent for one lease of 1 s, for ever."""
    pipeline = Pipeline(Connections(url).client())
    queue, store = Queue(pipeline), Store(pipeline)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        for claim in await queue.rescue("other", idle_seconds=1.0, pace_seconds=0.1):
            await store.begin(claim, "other")
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
