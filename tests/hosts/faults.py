"""What is done to the hosts while the load goes on: one fault after the other, each until its end is seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from loresmith.jobs import Job, keys
from loresmith.jobs.types import decode_job
from tests.chaos.ledger import Ledger
from tests.hosts.plan import POSTGRES
from tests.hosts.site import Site
from tests.waiting import wait_until

_LONG: Final = 180.0
_AWAY_SECONDS: Final = 20.0
_FLAPS: Final = 12
_FLAP_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Hand:
    """Does the faults, and notes when each begins, is taken over, and is over."""

    site: Site
    ledger: Ledger

    @asynccontextmanager
    async def fault(self, what: str, host: str = "") -> AsyncGenerator[Callable[[], None]]:
        """Note a fault around what happens inside; yields what notes that others have taken over."""
        began = time.monotonic()
        self.ledger.note("fault", what=what, host=host)
        yield lambda: self.ledger.note("taken_over", what=what, seconds=round(time.monotonic() - began, 2))
        self.ledger.note("over", what=what, seconds=round(time.monotonic() - began, 2))

    @asynccontextmanager
    async def cut_off(self, host: str) -> AsyncGenerator[None]:
        """A host is cut off while inside, verified from the client host; joined again afterwards, verified too."""
        self.site.switch.cut(host)
        await wait_until(lambda: self.site.is_cut_off(host))
        yield
        self.site.switch.join(host)
        await wait_until(lambda: self.site.is_joined(host))

    async def worker_cut_off(self) -> None:
        """A worker with running jobs: others take each of them over. Back again, it works."""
        host = self.site.plan.worker[0]
        held = await wait_until(lambda: self._holds(host, least=2), seconds=_LONG)
        async with self.fault("worker host cut off", host) as taken_over:
            async with self.cut_off(host):
                self.ledger.note("held", jobs=sorted(held), what="worker host cut off")
                await wait_until(lambda: self._each(held, lambda job: job.done or job.rescues > 0), seconds=_LONG)
                taken_over()
            await wait_until(lambda: self._new_work(host, held), seconds=_LONG)

    async def _holds(self, host: str, *, least: int) -> set[str]:
        held = await self.site.held_by(host)
        return held if len(held) >= least else set()

    async def _new_work(self, host: str, old: set[str]) -> bool:
        return bool(await self.site.held_by(host) - old)

    async def lore_cut_off(self) -> None:
        """A lore host in the middle of calls: each job that ran ends, by the other one."""
        host = self.site.plan.lore[0]
        running = await wait_until(lambda: self._running(least=6), seconds=_LONG)
        async with self.fault("lore host cut off", host) as taken_over, self.cut_off(host):
            self.ledger.note("held", jobs=sorted(running), what="lore host cut off")
            await wait_until(lambda: self._each(running, lambda job: job.done), seconds=_LONG)
            taken_over()

    async def _running(self, *, least: int) -> set[str]:
        running = set(await self.site.running())
        return running if len(running) >= least else set()

    async def _each(self, jobs: set[str], true: Callable[[Job], bool]) -> bool:
        """Whether something is true of each job; no while Redis is away."""
        client: Any = self.site.watching
        with suppress(RedisError, OSError):
            found = await client.mget([keys.document(job_id) for job_id in sorted(jobs)])
            return all(document is not None and true(decode_job(document)) for document in found)
        return False

    async def api_cut_off(self) -> None:
        """An API host, for a while: its clients go to the other one."""
        host = self.site.plan.api[0]
        async with self.fault("API host cut off", host), self.cut_off(host):
            await asyncio.sleep(_AWAY_SECONDS)

    async def primary_cut_off(self) -> None:
        """The primary of Redis: the Sentinels name another one; back again, it follows that one."""
        old = await asyncio.to_thread(self.site.primary)
        others = [host for host in self.site.redis if host is not old]
        async with self.fault("host of the Redis primary cut off", old.name) as taken_over:
            async with self.cut_off(old.name):
                await wait_until(self._elsewhere(old.address, lambda: self.site.primary(asked=others).address))
                taken_over()
                await wait_until(self._works_again, seconds=_LONG)
            new = await asyncio.to_thread(lambda: self.site.primary(asked=others))
            await wait_until(self._same(new.address, lambda: old.follows or ""), seconds=_LONG)
        self.ledger.note("failed_over", old=old.name, new=new.name)

    async def _works_again(self) -> bool:
        """Whether jobs are claimed on the new primary."""
        with suppress(RedisError, OSError):
            return bool(await self.site.running())
        return False

    @staticmethod
    def _elsewhere(address: str, look: Callable[[], str]) -> Callable[[], Awaitable[bool]]:
        return _compared(look, lambda found: found not in ("", address))

    @staticmethod
    def _same(address: str, look: Callable[[], str]) -> Callable[[], Awaitable[bool]]:
        return _compared(look, lambda found: found == address)

    async def postgres_cut_off(self) -> None:
        """PostgreSQL, for a while: worlds are saved when it is back."""
        async with self.fault("host of PostgreSQL cut off", POSTGRES), self.cut_off(POSTGRES):
            await asyncio.sleep(_AWAY_SECONDS)

    async def cable_loose(self) -> None:
        """The cable of the primary of Redis drops out again and again, too shortly for a failover."""
        host = await asyncio.to_thread(self.site.primary)
        async with self.fault("cable of the Redis primary loose", host.name):
            for _ in range(_FLAPS):
                self.site.switch.cut(host.name)
                await asyncio.sleep(_FLAP_SECONDS)
                self.site.switch.join(host.name)
                await asyncio.sleep(3 * _FLAP_SECONDS)

    async def rolling_upgrade(self) -> None:
        """Every process of LoreSmith is told to stop and started again, one after the other."""
        async with self.fault("rolling upgrade"):
            for host in self.site.processes:
                code = await self.site.restart(host)
                if host in self.site.plan.lore:  # workers try to connect every 3 s: the next waits until they have
                    answered = self.site.calls_answered(host)
                    await wait_until(lambda: self.site.calls_answered(host) > answered, seconds=_LONG)  # noqa: B023
                if code != 0:
                    self.ledger.note("unclean", host=host, code=code)


def _compared(look: Callable[[], str], right: Callable[[str], bool]) -> Callable[[], Awaitable[bool]]:
    """What asks servers, in a thread, and takes one that does not answer for a no."""

    async def looked() -> bool:
        with suppress(RedisError, OSError, LookupError):
            return right(await asyncio.to_thread(look))
        return False

    return looked
