"""What a process does that migrates at the same moment as others."""

import asyncio
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from loresmith.db import Location
from loresmith.db.schema import Migrated, migrate


def migrate_at_once(location: Location, starts: Barrier, found: "Queue[Migrated]") -> None:
    """Wait for the others, then migrate."""
    starts.wait()
    found.put(asyncio.run(migrate(location)))
