"""The models of a service in the order in which they are asked, each behind its slots and its gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from loresmith.llm.errors import ErrorCode, GenerationError
from loresmith.llm_service.budgets import Budgets
from loresmith.llm_service.circuit import Circuit
from loresmith.llm_service.gate import Gate
from loresmith.llm_service.ledger import Limits
from loresmith.llm_service.limiter import Limiter
from loresmith.llm_service.prices import rates_of
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.slots import Slots

FIRST_TOKEN_SECONDS: Final = 20.0
REST_SECONDS: Final = 30.0
"""How long a model that failed is asked after the others."""
SHORT_PAUSE_SECONDS: Final = 5.0
"""When a provider asks for a longer pause, another model takes over."""
_OTHERS_MAY: Final[frozenset[ErrorCode]] = frozenset(
    {"provider_unavailable", "provider_rate_limited", "provider_auth", "provider_timeout"}
)


@dataclass(slots=True)
class Station:
    """One model of the route."""

    provider: Provider
    gate: Gate
    circuit: Circuit
    slots: Slots = field(init=False)
    resting_until: float = 0.0

    def __post_init__(self) -> None:
        self.slots = Slots(self.provider.concurrent_calls)


class Route:
    """At least one model; the first is asked, the others take over when it fails."""

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        budgets: Budgets | None = None,
        limiters: Sequence[Limiter] = (),
        circuits: Sequence[Circuit] = (),
        first_token_seconds: float = FIRST_TOKEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Providers without a limiter or a circuit of their name get one of this process, without limits.

        Raises ValueError if a budget is one of money and the price of a model is unknown.
        """
        self.budgets = budgets or Budgets()
        self.first_token_seconds = first_token_seconds
        self._clock = clock
        self._limiters = {limiter.provider: limiter for limiter in limiters}
        self._circuits = {circuit.provider: circuit for circuit in circuits}
        self.stations = [self._station(provider) for provider in providers]

    @property
    def first(self) -> Station:
        """The model that is asked when all are well."""
        return self.stations[0]

    def order(self) -> list[Station]:
        """The models as they are to be asked now: those that failed of late come last."""
        return sorted(self.stations, key=self.rests)

    def rests(self, station: Station) -> bool:
        """Whether a model failed of late."""
        return station.resting_until > self._clock()

    def rest(self, station: Station) -> None:
        """Has a model that failed asked after the others for a while."""
        station.resting_until = self._clock() + REST_SECONDS

    async def pauses(self) -> dict[str, float]:
        """Seconds that are left of the pauses for which providers asked."""
        left = {name: await limiter.paused_seconds() for name, limiter in self._limiters.items()}
        return {name: seconds for name, seconds in left.items() if seconds > 0}

    def secrets(self) -> tuple[str, ...]:
        """What no log shows."""
        return tuple(secret for station in self.stations for secret in station.provider.secrets)

    def resources(self) -> list[AbstractAsyncContextManager[object]]:
        """What must be open while the service runs."""
        own = [resource for station in self.stations for resource in station.provider.resources]
        return [*own, *(limiter.open() for limiter in self._limiters.values()), self.budgets.open()]

    def _station(self, provider: Provider) -> Station:
        if self.budgets.in_money and rates_of(provider.current()) is None:
            raise ValueError(
                f"the price of model {provider.label!r} is not known, so a budget in dollars cannot be kept:"
                " expected one of tokens"
            )
        limiter = self._limiters.setdefault(provider.name, Limiter(provider.name, Limits()))
        circuit = self._circuits.setdefault(provider.name, Circuit(provider.name))
        return Station(provider, Gate(self.budgets, limiter), circuit)


def another_may(error: GenerationError) -> bool:
    """Whether another model may do what this one did not."""
    if error.code == "provider_rate_limited" and error.retryable and error.retry_after_seconds is not None:
        return error.retry_after_seconds > SHORT_PAUSE_SECONDS
    return error.code in _OTHERS_MAY
