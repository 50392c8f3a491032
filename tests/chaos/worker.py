"""A worker process of the loop: `python -m tests.chaos.worker URL FOLDER GRACE_SECONDS`."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

from loresmith.jobs import Job, Worker
from loresmith.jobs.connection import Connections
from loresmith.jobs.store import Store, Written
from loresmith.telemetry import configure_logging
from tests.chaos.handlers import REGISTRY
from tests.chaos.ledger import Ledger
from tests.pacing import QUICK

LEASE_SECONDS: Final = 2.0
CONCURRENCY: Final = 8


async def main(url: str, folder: Path, grace_seconds: float) -> None:
    """Work until SIGTERM, then drain."""
    ledger = Ledger(folder / f"worker-{os.getpid()}.ledger")
    _count_refusals(ledger)
    worker = Worker(
        connections=Connections(url),
        registry=REGISTRY,
        resources={Ledger: ledger},
        concurrency=CONCURRENCY,
        lease_seconds=LEASE_SECONDS,
        pacing=QUICK,
        grace_seconds=grace_seconds,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    ledger.note("up", pid=os.getpid())
    await worker.run()
    ledger.note("down", pid=os.getpid())
    ledger.close()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one that comes while the interpreter ends is no failure


def _count_refusals(ledger: Ledger) -> None:
    """Note every write that the fence refused; the write itself is the shipped one."""
    write = Store.write

    def noted(self: Store, job: Job, **options: Any) -> asyncio.Future[int]:
        future = write(self, job, **options)

        def answered(reply: asyncio.Future[int]) -> None:
            if not reply.cancelled() and reply.exception() is None and reply.result() == Written.LOST:
                ledger.note("refused", job.id, lease=options["lease"], seq=job.seq)

        future.add_done_callback(answered)
        return future

    Store.write = noted


if __name__ == "__main__":
    configure_logging("info", "json")
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
