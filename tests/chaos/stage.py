"""Everything that runs during a loop, and the hands that disturb it."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from loresmith.jobs.connection import Connections
from tests.chaos.children import Child, RedisChild, python_child
from tests.chaos.faults import LINKS, WORKERS, Fault
from tests.chaos.ledger import Ledger, read_ledgers
from tests.chaos.proxy import Link
from tests.waiting import wait_until

_SLOW_SECONDS: Final = 0.15
_DRAIN_SECONDS: Final = 60.0


class Stage:
    """Redis, the links to it, the workers and the submitter."""

    def __init__(self, seed: str, folder: Path, *, fsync: str) -> None:
        self.ledger = Ledger(folder / "stage.ledger")
        self.redis = RedisChild(folder, fsync=fsync)
        self.links = [Link(self.redis.socket) for _ in range(LINKS)]
        self._folder = folder
        self._pick = random.Random(f"{seed}-stage")
        self._generation = 0
        self._seed = seed
        self.workers = [python_child(f"worker-{i}", folder, lambda i=i: self._worker(i)) for i in range(WORKERS)]
        self.submitter = python_child("submitter-0", folder, self._submitter)
        self._client: Any = Connections(f"unix://{self.redis.socket}").client()

    def _worker(self, index: int) -> list[str]:
        grace = self._pick.choice((0.0, 0.5, 2.0, 5.0))
        return [self.links[index].url, str(self._folder), str(grace)]

    def _submitter(self) -> list[str]:
        self._generation += 1
        return [self.links[-1].url, str(self._folder), f"{self._seed}-{self._generation}"]

    async def open(self) -> None:
        """Start everything, and wait until the first job is accepted: a start on a loaded machine takes many faults."""
        await self.redis.start()
        await asyncio.gather(*(link.open() for link in self.links))
        await asyncio.gather(*(child.start() for child in (*self.workers, self.submitter)))
        await wait_until(self._has_accepted, seconds=60.0)

    def _has_accepted(self) -> bool:
        return any(event.kind == "accepted" for event in read_ledgers(self._folder))

    async def stop_submitting(self) -> None:
        """Let the submitter end what is under way."""
        self.submitter.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.submitter.ended(), _DRAIN_SECONDS)

    async def close(self) -> None:
        """End every process of the loop, whatever state it is in."""
        await self._client.aclose()
        await asyncio.gather(*(child.kill() for child in (*self.workers, self.submitter, self.redis)))
        await asyncio.gather(*(link.close() for link in self.links))
        self.ledger.close()

    async def inflict(self, fault: Fault) -> None:
        """Do what a fault says and set it right again after its time; returns when the next may hit the same."""
        hands: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "worker": self._worker_fault,
            "all workers killed": self._all_killed,
            "submitter": self._submitter_killed,
            "redis": self._redis_fault,
            "connections": self._connections_killed,
            "link": self._link_fault,
            "all links cut": self._all_cut,
            "replies": self._link_fault,
        }
        hand = next(hand for start, hand in hands.items() if fault.kind.startswith(start))
        await hand(fault)

    def _begins(self, fault: Fault, **facts: Any) -> None:
        self.ledger.note("fault", number=fault.number, what=fault.kind, seconds=fault.seconds, **facts)

    def _over(self, fault: Fault) -> None:
        self.ledger.note("over", number=fault.number)

    async def _worker_fault(self, fault: Fault) -> None:
        worker = self.workers[fault.target]
        async with worker.lock:
            self._begins(fault, pid=worker.pid)
            if "frozen" in fault.kind:
                worker.signal(signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                if not fault.kind.endswith("killed"):
                    worker.signal(signal.SIGCONT)
                    self._over(fault)
                    return
            if fault.kind.endswith(("drained", "draining", "stop")):
                worker.signal(signal.SIGTERM)
                await self._ended(worker, fault)
            if "killed" in fault.kind:
                await self._killed(worker)
            if fault.kind in ("worker killed", "worker drained"):
                await asyncio.sleep(fault.seconds)
            await worker.start()
            self._over(fault)

    async def _ended(self, worker: Child, fault: Fault) -> None:
        """Wait for the end of a drain, or disturb it."""
        if fault.kind != "worker drained":
            await asyncio.sleep(fault.seconds)
            if "killed" in fault.kind:
                return
            worker.signal(signal.SIGTERM)
        try:
            code = await asyncio.wait_for(worker.ended(), _DRAIN_SECONDS)
        except TimeoutError:
            code = None
            await worker.kill()
        if code != 0:
            self.ledger.note("undrained", pid=worker.pid, code=code)

    async def _killed(self, worker: Child) -> None:
        self.ledger.note("killed", pid=worker.pid)
        await worker.kill()

    async def _all_killed(self, fault: Fault) -> None:
        async def one(worker: Child) -> None:
            async with worker.lock:
                await self._killed(worker)
                await asyncio.sleep(fault.seconds)
                await worker.start()

        self._begins(fault)
        await asyncio.gather(*(one(worker) for worker in self.workers))
        self._over(fault)

    async def _submitter_killed(self, fault: Fault) -> None:
        async with self.submitter.lock:
            self._begins(fault)
            await self.submitter.kill()
            await asyncio.sleep(fault.seconds)
            await self.submitter.start()
            self._over(fault)

    async def _redis_fault(self, fault: Fault) -> None:
        async with self.redis.lock:
            self._begins(fault)
            if fault.kind == "redis killed":
                await self.redis.kill()
                await asyncio.sleep(fault.seconds)
                await self.redis.start()
            elif fault.kind == "redis frozen":
                self.redis.signal(signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                self.redis.signal(signal.SIGCONT)
            else:
                what = "WRITE" if fault.kind.endswith("writes") else "ALL"
                await self._order("CLIENT", "PAUSE", str(int(fault.seconds * 1000)), what)
                await asyncio.sleep(fault.seconds)
            self._over(fault)

    async def _connections_killed(self, fault: Fault) -> None:
        async with self.redis.lock:
            self._begins(fault)
            kind = "pubsub" if "subscribers" in fault.kind else "normal"
            await self._order("CLIENT", "KILL", "TYPE", kind)
            self._over(fault)

    async def _order(self, *command: str) -> None:
        try:
            await self._client.execute_command(*command)
        except (RedisError, OSError) as error:
            self.ledger.note("order_failed", command=" ".join(command), error=repr(error))

    async def _link_fault(self, fault: Fault) -> None:
        link = self.links[fault.target]
        self._begins(fault, link=fault.target)
        match fault.kind:
            case "link slow":
                link.latency_seconds = _SLOW_SECONDS
            case "link reset":
                link.reset()
            case "link cut":
                link.refusing = True
                link.reset()
            case "replies lost after commit":
                link.losing_replies = True
            case _:
                link.half_open(deaf=fault.kind.endswith("requests lost"))
        await asyncio.sleep(fault.seconds)
        link.heal()
        self._over(fault)

    async def _all_cut(self, fault: Fault) -> None:
        self._begins(fault)
        for link in self.links:
            link.refusing = True
            link.reset()
        await asyncio.sleep(fault.seconds)
        for link in self.links:
            link.heal()
        self._over(fault)
