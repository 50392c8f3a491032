"""Circuit breaker of a provider: keeps callers from a provider that is down, finds out when it is back, and lets
them back in step by step.

    closed ──3 failures in a row──► open ──its pause is over──► half open: one probe
       ▲                             ▲                             │        │
       │                             └────────── fails ────────────┘     answers
       └── 16 answers ◄── ramp: one call more at once for each answer ◄─────┘

Source: M. Nygard, "Release It!", 2nd edition, 2018, "Circuit Breaker".
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import structlog

from loresmith.llm.errors import GenerationError
from loresmith.llm.wire import Queued, WireEvent
from loresmith.llm_service.ledger import AwayError
from loresmith.llm_service.waiting import Waiting

FAILURES: Final = 3
"""Failures in a row that open the circuit."""
FULL: Final = 16
"""Calls at once that wait for a first output, at which the ramp ends."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
PROBE_SECONDS: Final = 30.0
"""How long the probe of a process that died keeps the others from probing."""
_PROBE_POLL_SECONDS: Final = 2.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """State of a provider that processes share: the round of probes, 0 once it is up, and how long that holds."""

    round: int
    left_seconds: float


class SharedOutage(Protocol):
    """The outage of one provider, as all lore processes know it. Every method raises AwayError."""

    async def look(self) -> Outage | None:
        """Return what was noted last, None when that does not hold any more."""
        ...

    async def note(self, outage: Outage) -> None:
        """Note that the provider is down until the next probe is due, or that it is up."""
        ...

    async def probe(self, seconds: float) -> bool:
        """Return whether the caller is the one who probes."""
        ...


@dataclass(slots=True)
class Permit:
    """A call that was admitted; the first report of what came of it counts."""

    circuit: Circuit
    round: int
    probes: bool = False
    _open: bool = True

    async def answered(self) -> None:
        """Report the first output, or an error that shows a provider at work."""
        if self._close():
            await self.circuit.provider_answered(self)

    async def failed(self) -> None:
        """Report a provider that is down."""
        if self._close():
            await self.circuit.provider_failed(self)

    def left(self) -> None:
        """Report an end that says nothing about the provider, such as a cancel."""
        if self._close():
            self.circuit.caller_left(self)

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        return was_open


class ProviderDownError(GenerationError):
    """A call that the circuit refused: the provider never saw it."""

    def __init__(self, provider: str, seconds: float) -> None:
        message, wait = f"the provider {provider!r} is down", max(0.1, seconds)
        super().__init__("provider_unavailable", message, retry_after_seconds=wait, began=False)


class Circuit:
    """Admits calls to one provider while it is up."""

    def __init__(
        self,
        provider: str,
        shared: SharedOutage | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.provider = provider
        self._shared = shared
        self._clock = clock
        self._uniform = uniform
        self._failures = 0
        self._round = 0
        """Openings in this outage; 0: closed."""
        self._open_until = 0.0
        self._probing = False
        self._at_once = 0
        """Calls without a first output that the ramp admits at once; 0: there is no ramp."""
        self._under_way = 0
        self._changed = asyncio.Event()

    @property
    def state(self) -> Literal["closed", "open", "half_open", "ramp"]:
        """What the next call meets."""
        if not self._round:
            return "closed"
        if self._at_once:
            return "ramp"
        return "open" if self._clock() < self._open_until else "half_open"

    def check(self) -> None:
        """Raise GenerationError while the circuit is open: there is no use in waiting for a slot."""
        if self.state == "open":
            raise ProviderDownError(self.provider, self._open_until - self._clock())

    async def enter(self) -> Permit:
        """Return once a call may go to the provider. Raises GenerationError while the provider is down."""
        await self._synchronise()
        while self.state == "ramp" and self._under_way >= self._at_once:
            self._changed.clear()
            await self._changed.wait()
        self.check()
        probes = self.state == "half_open"
        if probes:
            await self._take_probe()
        self._under_way += 1
        return Permit(self, self._round, probes)

    async def provider_answered(self, permit: Permit) -> None:
        """See Permit.answered."""
        self._leave(permit)
        self._failures = 0
        if not self._round:
            return
        if began := not self._at_once:
            self._round = 1
        self._at_once += 1
        if self._at_once >= FULL:
            self._round = self._at_once = 0
        if began:
            _log.info("provider is back", provider=self.provider)
            await self._note(Outage(0, LONGEST_PAUSE_SECONDS))

    async def provider_failed(self, permit: Permit) -> None:
        """See Permit.failed; calls that were under way when the circuit opened say nothing new."""
        self._leave(permit)
        if permit.round != self._round or self.state == "open":
            return
        self._failures += 1
        if self._round or self._failures >= FAILURES:
            await self._open()

    def caller_left(self, permit: Permit) -> None:
        """See Permit.left."""
        self._leave(permit)

    def _leave(self, permit: Permit) -> None:
        self._under_way -= 1
        if permit.probes and permit.round == self._round:
            self._probing = False
        self._changed.set()

    async def _open(self) -> None:
        self._round += 1
        self._at_once = 0
        most = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._round, 30))
        pause = self._uniform(max(FIRST_PAUSE_SECONDS, most / 2), most)
        self._open_until = self._clock() + pause
        self._changed.set()
        _log.warning("provider is down", provider=self.provider, probe_in_seconds=round(pause, 1))
        await self._note(Outage(self._round, pause))

    async def _take_probe(self) -> None:
        """Raises GenerationError when another call is the probe."""
        if self._probing:
            raise ProviderDownError(self.provider, _PROBE_POLL_SECONDS)
        self._probing = True
        try:
            if self._shared is not None and not await self._shared.probe(PROBE_SECONDS):
                raise ProviderDownError(self.provider, _PROBE_POLL_SECONDS)
        except AwayError:
            pass  # each process then probes for itself
        except BaseException:
            self._probing = False
            raise

    async def _synchronise(self) -> None:
        """Take over what another process found out."""
        if self._shared is None:
            return
        try:
            found = await self._shared.look()
        except AwayError:
            return
        if found is None:
            return
        if found.round > self._round:
            self._round, self._at_once, self._probing = found.round, 0, False
            self._open_until = self._clock() + found.left_seconds
            self._changed.set()
        elif not found.round and self.state in ("open", "half_open"):
            self._at_once = 1
            self._changed.set()

    async def _note(self, outage: Outage) -> None:
        if self._shared is not None:
            with suppress(AwayError):
                await self._shared.note(outage)


async def guarded(
    circuit: Circuit, events: AsyncGenerator[WireEvent, None], *, reminder_seconds: float
) -> AsyncGenerator[WireEvent, None]:
    """Stream the events of a call that the circuit admits, and report what came of it. Raises GenerationError."""
    waiting = Waiting(circuit.enter(), reminder_seconds=reminder_seconds, drop=lambda permit: permit.left())
    async with aclosing(waiting.reminders()) as reminders:
        async for _ in reminders:
            yield Queued()
    permit = waiting.result
    try:
        async with aclosing(events):
            async for event in events:
                if not isinstance(event, Queued):
                    await permit.answered()
                yield event
    except GenerationError as error:
        await (permit.failed() if _shows_an_outage(error) else permit.answered())
        raise
    finally:
        permit.left()


def _shows_an_outage(error: GenerationError) -> bool:
    return error.code == "provider_timeout" or (
        error.code == "provider_unavailable" and error.retryable and not error.began
    )
