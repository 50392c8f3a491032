"""What was spent of a budget, and what is reserved of it by requests under way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol

_LIFETIME_SECONDS: Final = 2 * 86_400
_NEW_ACCOUNTS: Final = 1000
"""How many come between two looks for those that nobody used for long."""


@dataclass(frozen=True, slots=True)
class Sum:
    """Tokens and their price; a nano-dollar is the smallest unit in which providers name one."""

    tokens: int = 0
    nano_usd: int = 0

    def plus(self, other: Sum) -> Sum:
        """The sum of both."""
        return Sum(self.tokens + other.tokens, self.nano_usd + other.nano_usd)


@dataclass(frozen=True, slots=True)
class Account:
    """A budget of somebody; None: no bound."""

    name: str
    tokens: int | None = None
    nano_usd: int | None = None

    def holds(self, total: Sum) -> bool:
        """Whether `total` is within the budget."""
        return (self.tokens is None or total.tokens <= self.tokens) and (
            self.nano_usd is None or total.nano_usd <= self.nano_usd
        )


class Reserved(IntEnum):
    """What came of asking for a part of a budget."""

    TOO_LITTLE = 0
    DONE = 1
    LATER = 2
    """Enough may be left once others have settled: they use less than they reserve."""


class Purse(Protocol):
    """Keeps accounts. A reservation that is never settled counts as used after its time."""

    async def reserve(self, account: Account, request: str, wanted: Sum, *, seconds: float) -> Reserved:
        """Reserves `wanted` for at most `seconds`. May be repeated."""
        ...

    async def spend(self, account: Account, request: str, used: Sum) -> None:
        """Settles the reservation of `request`. May be repeated."""
        ...


@dataclass(slots=True)
class _State:
    used: Sum = field(default_factory=Sum)
    reserved: dict[str, tuple[float, Sum]] = field(default_factory=dict[str, tuple[float, Sum]])
    until: float = 0.0


class LocalPurse:
    """Keeps accounts in the memory of this process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[str, _State] = {}

    async def reserve(self, account: Account, request: str, wanted: Sum, *, seconds: float) -> Reserved:
        """See Purse."""
        now = self._clock()
        state = self._state(account, now)
        if request in state.reserved:
            return Reserved.DONE
        if not account.holds(state.used.plus(wanted)):
            return Reserved.TOO_LITTLE
        total = state.used.plus(wanted)
        for _, each in state.reserved.values():
            total = total.plus(each)
        if not account.holds(total):
            return Reserved.LATER
        state.reserved[request] = (now + seconds, wanted)
        return Reserved.DONE

    async def spend(self, account: Account, request: str, used: Sum) -> None:
        """See Purse."""
        state = self._state(account, self._clock())
        if state.reserved.pop(request, None) is not None:
            state.used = state.used.plus(used)

    def _state(self, account: Account, now: float) -> _State:
        if account.name not in self._states and len(self._states) % _NEW_ACCOUNTS == 0:
            self._states = {name: each for name, each in self._states.items() if each.until > now}
        state = self._states.setdefault(account.name, _State())
        state.until = now + _LIFETIME_SECONDS
        for request, (until, wanted) in list(state.reserved.items()):
            if until <= now:
                del state.reserved[request]
                state.used = state.used.plus(wanted)
        return state
