"""How many requests an owner may make: GCRA in each process, told across processes in the background."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from loresmith.api.refreshed import AwayError

SYNC_SECONDS: Final = 0.5
_BURST_SECONDS: Final = 10.0
_MOST_ACCOUNTS: Final = 50_000
_SYNCED_AT_ONCE: Final = 100
_HAIR: Final = 1e-9

Charge = Callable[[str, int, float], Awaitable[float]]
"""Counts so many requests of an account, each worth so many seconds, for all processes; returns what stands, in s."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests a minute on average, of which those of ten seconds may come at once."""

    per_minute: int

    @property
    def interval_seconds(self) -> float:
        """What one request is worth."""
        return 60.0 / self.per_minute

    @property
    def burst(self) -> int:
        """Requests that may come at once."""
        return max(1, math.ceil(self.per_minute * _BURST_SECONDS / 60))

    @property
    def window_seconds(self) -> float:
        """How long it takes until a burst may come again."""
        return self.burst * self.interval_seconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is let through, and what its answer says of the quota."""

    allowed: bool
    remaining: int
    reset_seconds: int
    retry_after_seconds: int


class _Account:
    """When all that an owner was let through is worked off, and how much of it the other processes do not know."""

    __slots__ = ("free_at", "since", "untold")

    def __init__(self) -> None:
        self.free_at = self.since = 0.0
        self.untold = 0


class RateLimiter:
    """The generic cell rate algorithm (ITU-T I.371, the leaky bucket as a meter), for each owner.

    Nobody waits for Redis: a process decides by what it knows, and tells the others within half a second once an owner
    has used a twentieth of a burst, else within the time of a burst. With n processes an owner gets n bursts at the
    most before they know of each other; in the long run no more than the quota, since all of it is counted.
    """

    def __init__(
        self, quota: Quota, charge: Charge | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.quota = quota
        self.policy = b'"owner";q=%d;w=%d' % (quota.burst, max(1, round(quota.window_seconds)))
        self._interval, self._window = quota.interval_seconds, quota.window_seconds
        self._most_needed = max(1, quota.burst // 2)
        self._charge, self._clock = charge, clock
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._untold: dict[str, _Account] = {}
        self._teller: asyncio.Task[None] | None = None

    def spend(self, account: str, cost: int = 1, *, done: bool = False) -> Verdict:
        """Count a request of an account if it is within the quota. `cost` is how many plain requests it is worth.

        What is `done` already is counted in any case.

        One that costs more than half a burst is let through when half a burst is left: it would have to wait for ever
        where a burst is small. All of it is counted, so that the account waits until it is worked off.
        """
        now, one = self._clock(), self._account(account)
        before = max(0.0, one.free_at - now)
        needed = before + min(cost, self._most_needed) * self._interval
        if needed > self._window + _HAIR and not done:
            retry_after = max(1, math.ceil(needed - self._window))
            return Verdict(False, self._left(before), math.ceil(before), retry_after)
        ahead = before + cost * self._interval
        one.free_at = now + ahead
        if self._charge is not None:
            self._note(account, one, now, cost)
        return Verdict(True, self._left(ahead), math.ceil(ahead), 0)

    def _left(self, ahead: float) -> int:
        return max(0, int((self._window - ahead) / self._interval + _HAIR))

    async def tell(self) -> None:
        """Tell the other processes what is due, and learn what they know."""
        now, least = self._clock(), max(1, self.quota.burst // 20)
        due = [name for name, one in self._untold.items() if one.untold >= least or now - one.since >= self._window]
        for start in range(0, len(due), _SYNCED_AT_ONCE):
            await asyncio.gather(*(self._tell(name) for name in due[start : start + _SYNCED_AT_ONCE]))

    async def close(self) -> None:
        """Tell nothing more."""
        if self._teller is not None:
            self._teller.cancel()
            await asyncio.wait({self._teller})

    def _account(self, account: str) -> _Account:
        one = self._accounts.get(account)
        if one is None:
            one = self._accounts[account] = _Account()
            if len(self._accounts) > _MOST_ACCOUNTS:
                self._untold.pop(self._accounts.popitem(last=False)[0], None)
        return one

    def _note(self, account: str, one: _Account, now: float, cost: int) -> None:
        if not one.untold:
            one.since = now
            self._untold[account] = one
        one.untold += cost
        if self._teller is None:
            self._teller = asyncio.create_task(self._tell_all(), name="request rates")

    async def _tell_all(self) -> None:
        try:
            while self._untold:
                await asyncio.sleep(SYNC_SECONDS)
                await self.tell()
        finally:
            self._teller = None

    async def _tell(self, account: str) -> None:
        """Tell once: when the reply is lost nobody knows whether it was counted, and twice would be worse."""
        one = self._untold.pop(account)
        count, one.untold = one.untold, 0
        try:
            stands = await (self._charge or _nothing)(account, count, self._interval)
        except AwayError:
            return
        one.free_at = max(one.free_at, self._clock() + stands + one.untold * self._interval)


async def _nothing(_account: str, _count: int, _interval: float) -> float:
    return 0.0
