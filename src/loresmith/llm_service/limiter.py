"""The limiter of a provider: who may ask it now, and who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from loresmith.llm.errors import GenerationError
from loresmith.llm_service.ledger import LEASE_SECONDS, AwayError, Hindrance, Ledger, Limits, LocalLedger
from loresmith.llm_service.outbox import Outbox

LONGEST_PAUSE_SECONDS: Final = 60.0
"""A call waits out a shorter pause of the provider; for a longer one its job gets its turn later."""
_AWAY_PAUSE_SECONDS: Final = 0.5
_LONGEST_POLL_SECONDS: Final = 5.0
_MOST_PAUSE_SECONDS: Final = 3600.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Limiter:
    """Lets requests to one provider begin in the order in which they came, as its limits allow.

    While what the processes share is away, nothing begins if there are limits, and everything if there are none.
    """

    def __init__(self, provider: str, limits: Limits, ledger: Ledger | None = None) -> None:
        self.provider = provider
        self._limits = limits
        self._ledger = ledger or LocalLedger(limits)
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()
        self._running: set[str] = set()
        self._outbox = Outbox(every=self._hold, every_seconds=LEASE_SECONDS / 3)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Settles and renews while it is open."""
        async with self._outbox:
            yield

    async def enter(self, request: str, tokens: int, *, patience_seconds: float = LONGEST_PAUSE_SECONDS) -> str:
        """Returns `request` once it may begin, using at most `tokens`; who cancels this leaves the line.

        Raises GenerationError when that can never be, and when the provider wants a pause of more than
        `patience_seconds`.
        """
        if self._limits.tokens and tokens > self._limits.tokens:
            message = (
                f"a call of up to {tokens} tokens is more than the {self._limits.tokens} a minute of {self.provider}"
            )
            raise GenerationError("provider_rate_limited", message, retryable=False)
        async with self._line:
            try:
                while hindrance := await self._hindrance(request, tokens):
                    self._lose_patience(hindrance, patience_seconds)
                    await self._wait(hindrance)
            except BaseException:
                self._outbox.put(lambda: self._ledger.leave(request, None))
                raise
            self._running.add(request)
        return request

    def leave(self, request: str, tokens: int | None) -> None:
        """Ends a request that used `tokens`; None for one that was never sent."""
        self._running.discard(request)

        async def tell() -> None:
            await self._ledger.leave(request, tokens)
            self._changed.set()

        if self._limits:
            self._outbox.put(tell)

    def pause(self, seconds: float) -> None:
        """Lets no process begin a request for so long, as the provider asked."""
        wanted = min(seconds, _MOST_PAUSE_SECONDS)
        _log.warning("provider asks to slow down", provider=self.provider, seconds=wanted)
        self._outbox.put(lambda: self._ledger.pause(wanted))

    async def paused_seconds(self) -> float:
        """How much is left of a pause for which the provider asked; 0 also while that cannot be known."""
        try:
            return await self._ledger.paused_seconds()
        except AwayError:
            return 0.0

    async def _hindrance(self, request: str, tokens: int) -> Hindrance | None:
        self._changed.clear()
        try:
            return await self._ledger.take(request, tokens)
        except AwayError:
            return Hindrance("away", _AWAY_PAUSE_SECONDS) if self._limits else None

    def _lose_patience(self, hindrance: Hindrance, patience_seconds: float) -> None:
        if hindrance.reason == "paused" and hindrance.wait_seconds > patience_seconds:
            message = f"the provider {self.provider!r} asks to slow down"
            wait = hindrance.wait_seconds
            raise GenerationError("provider_rate_limited", message, retry_after_seconds=wait, began=False)

    async def _wait(self, hindrance: Hindrance) -> None:
        seconds = min(hindrance.wait_seconds, _LONGEST_POLL_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _hold(self) -> None:
        if self._running and self._limits:
            await self._ledger.hold(sorted(self._running))
