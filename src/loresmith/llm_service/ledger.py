"""What a limiter knows of its provider: the requests and tokens of the last minute, and the requests under way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

WINDOW_SECONDS: Final = 60.0
LEASE_SECONDS: Final = 15.0
"""How long a request of a process that died is taken to be under way."""
_POLL_SECONDS: Final = 0.25


class AwayError(Exception):
    """What several processes share cannot be reached now."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider allows; 0 stands for any number."""

    requests: int = 0
    """Requests in any window of a minute."""
    tokens: int = 0
    """Tokens in any window of a minute, read and written."""
    calls: int = 0
    """Requests at once."""

    def __bool__(self) -> bool:
        return bool(self.requests or self.tokens or self.calls)


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a request must wait (`paused`, `line`, `calls`, `requests`, `tokens`), and when to ask again."""

    reason: str
    wait_seconds: float


class Ledger(Protocol):
    """Counts for one provider.

    A request counts from its begin for a window, its tokens until a window after its end: so the provider never sees
    more than the limits in any window, whether it books tokens at the begin, at the end, or between.
    """

    async def take(self, request: str, tokens: int) -> Hindrance | None:
        """Lets a request begin that uses at most `tokens`, or says what hinders it. May be repeated."""
        ...

    async def leave(self, request: str, tokens: int | None) -> None:
        """Ends a request that used `tokens`; None for one that the provider never saw. May be repeated."""
        ...

    async def hold(self, requests: Sequence[str]) -> None:
        """Says that these are still under way."""
        ...

    async def pause(self, seconds: float) -> None:
        """Lets no request begin for so long."""
        ...

    async def paused_seconds(self) -> float:
        """How much of a pause is left."""
        ...


class LocalLedger:
    """Counts in the memory of this process."""

    def __init__(
        self,
        limits: Limits,
        *,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._window = window_seconds
        self._clock = clock
        self._requests: dict[str, float] = {}
        self._tokens: dict[str, tuple[float, int]] = {}
        self._running: set[str] = set()
        self._paused_until = 0.0

    async def take(self, request: str, tokens: int) -> Hindrance | None:
        """See Ledger."""
        now = self._clock()
        if (left := self._paused_until - now) > 0:
            return Hindrance("paused", left)
        if not self._limits or request in self._running:
            return None
        self._forget_old(now)
        if hindrance := self._hindrance(tokens, now):
            return hindrance
        self._running.add(request)
        self._requests[request] = now + self._window * (1 + 1 / 60)  # more than a window: it is on its way yet
        self._tokens[request] = (math.inf, tokens)
        return None

    def _hindrance(self, tokens: int, now: float) -> Hindrance | None:
        most = self._limits
        if most.calls and len(self._running) >= most.calls:
            return Hindrance("calls", _POLL_SECONDS)
        if most.requests and len(self._requests) >= most.requests:
            return Hindrance("requests", _soon(min(self._requests.values()) - now))
        if most.tokens and sum(weight for _, weight in self._tokens.values()) + tokens > most.tokens:
            return Hindrance("tokens", _soon(min(until for until, _ in self._tokens.values()) - now))
        return None

    def _forget_old(self, now: float) -> None:
        self._requests = {name: until for name, until in self._requests.items() if until > now}
        self._tokens = {name: each for name, each in self._tokens.items() if each[0] > now}

    async def leave(self, request: str, tokens: int | None) -> None:
        """See Ledger."""
        if request not in self._running:
            return
        self._running.discard(request)
        if tokens is None:
            self._requests.pop(request, None)
            self._tokens.pop(request, None)
        else:
            self._tokens[request] = (self._clock() + self._window, tokens)

    async def hold(self, requests: Sequence[str]) -> None:
        """See Ledger: nobody else counts here."""

    async def pause(self, seconds: float) -> None:
        """See Ledger."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def paused_seconds(self) -> float:
        """See Ledger."""
        return max(0.0, self._paused_until - self._clock())


def _soon(seconds: float) -> float:
    return min(max(seconds, 0.001), _POLL_SECONDS)
