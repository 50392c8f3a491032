"""Renews the leases of this worker's jobs from a thread, so that a busy event loop does not lose them."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from redis.exceptions import NoScriptError

from loresmith.jobs import lua
from loresmith.jobs.away import is_away
from loresmith.jobs.claim import renewals
from loresmith.jobs.connection import BlockingClient, Connections
from loresmith.jobs.keys import QueueKeys
from loresmith.jobs.observer import facts_of
from loresmith.jobs.run import Run, Stop

log = structlog.get_logger(__name__)

LOOP_LAG_SECONDS: Final = 1.0
_STALLED_LEASES: Final = 6


class LeaseKeeper:
    """Renews every quarter of a lease, until it is stopped after the last write.

    A loop that answers nothing for six leases is given up: its jobs are then another worker's.
    """

    def __init__(
        self,
        connections: Connections,
        queue: QueueKeys,
        runs: Mapping[str, Run],
        *,
        consumer: str,
        lease_seconds: float,
    ) -> None:
        self._connections = connections
        self._queue = queue
        self._runs = runs
        self._consumer = consumer
        self._lease_seconds = lease_seconds
        self._stopped = threading.Event()
        self._loop_seen = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start renewing; called on the loop whose jobs are kept."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Stop renewing and wait for the thread."""
        self._stopped.set()
        await asyncio.to_thread(self._thread.join)

    @property
    def loop_lag_seconds(self) -> float:
        """How long ago the event loop last answered the thread."""
        return time.monotonic() - self._loop_seen

    def _keep(self) -> None:
        redis: Any = None
        pause = self._lease_seconds / 4
        while not self._stopped.wait(pause):
            pause = self._lease_seconds / 4
            if self._ask_loop() > self._lease_seconds * _STALLED_LEASES:
                continue
            try:
                redis = redis or self._connections.blocking_client(timeout_seconds=self._lease_seconds / 4)
                self._renew(redis)
            except Exception as error:
                if not is_away(error):
                    log.exception("renewing leases failed")
                pause = self._lease_seconds / 20  # most of the lease may be over
                redis = _closed(redis)  # a new client finds the nodes anew: another may be the primary by now
        _closed(redis)

    def _ask_loop(self) -> float:
        lag = self.loop_lag_seconds - self._lease_seconds / 4
        if lag > LOOP_LAG_SECONDS:
            log.warning("event loop is blocked, a handler does not yield", lag_seconds=round(lag, 1))
        self._on_loop(self._answer)
        return lag

    def _answer(self) -> None:
        self._loop_seen = time.monotonic()

    def _renew(self, redis: BlockingClient) -> None:
        held = dict(self._runs)  # one step under the interpreter lock
        for keys_used, args, jobs in renewals(self._queue, self._consumer, [run.claim for run in held.values()]):
            for entry in _lost_entries(redis, keys_used, args):
                job_id = jobs[entry.decode()]
                self._on_loop(lambda run=held[job_id]: self._lost(run))

    def _lost(self, run: Run) -> None:
        if self._runs.get(run.job.id) is run and not run.settling:
            log.warning("lease lost", run=run.number, **facts_of(run.job, run.submitted))
            run.stop(Stop.LOST)

    def _on_loop(self, call: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)


def _lost_entries(redis: Any, keys: Sequence[str], args: Sequence[str]) -> list[bytes]:
    """Run the renewal; on a Cluster the source goes to the one node that lacks it: others may be away."""
    try:
        return redis.evalsha(lua.RENEW.sha, len(keys), *keys, *args)
    except NoScriptError:
        return redis.eval(lua.RENEW.source, len(keys), *keys, *args)


def _closed(redis: Any) -> None:
    if redis is not None:
        with contextlib.suppress(Exception):
            redis.close()
