"""The gate before a request to a model: the budgets of who pays, and the limiter of the provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from loresmith.llm.port import GenerationRequest
from loresmith.llm_service.budgets import Budgets, priced
from loresmith.llm_service.limiter import Limiter
from loresmith.llm_service.prices import Rates
from loresmith.llm_service.purse import Account
from loresmith.llm_service.spending import Spent

_RESERVATION_SECONDS = 900.0
"""For how long a request may hold a part of a budget; longer than it takes."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A request that may be sent; settle it, whatever comes of it."""

    name: str
    accounts: Sequence[Account]
    gate: Gate

    def settle(self, spent: Spent | None) -> None:
        """Books what the request used; None if it was never sent."""
        self.gate.limiter.leave(self.name, None if spent is None else spent.tokens)
        used = spent or Spent()
        self.gate.budgets.settle(self.accounts, self.name, priced(used.tokens, used.cost_usd))


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets requests to one provider through, in their turn."""

    budgets: Budgets
    limiter: Limiter

    async def enter(
        self, request: GenerationRequest, at_most: Spent, rates: Rates | None, *, patience_seconds: float
    ) -> Entered:
        """Returns once the request may be sent, using `at_most`. Raises GenerationError; see Limiter and Budgets."""
        entered = Entered(uuid4().hex, self.budgets.accounts(request), self)
        cost = rates.cost(at_most.input_tokens, at_most.output_tokens) if rates else None
        wanted = priced(at_most.tokens, cost)
        await self.budgets.reserve(entered.accounts, entered.name, wanted, seconds=_RESERVATION_SECONDS)
        try:
            await self.limiter.enter(entered.name, at_most.tokens, patience_seconds=patience_seconds)
        except BaseException:
            self.budgets.settle(entered.accounts, entered.name, priced(0, 0.0))
            raise
        return entered
