"""Budgets: what one job may use, and one owner in a day."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import GenerationRequest
from loresmith.llm_service.ledger import AwayError
from loresmith.llm_service.outbox import Outbox
from loresmith.llm_service.purse import Account, LocalPurse, Purse, Reserved, Sum

_POLL_SECONDS: Final = 0.25
_NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be used; None: any amount."""

    tokens: int | None = None
    usd: float | None = None

    def __bool__(self) -> bool:
        return self.tokens is not None or self.usd is not None


def priced(tokens: int, usd: float | None) -> Sum:
    """Tokens and their price, rounded up; an unknown price counts as none."""
    return Sum(tokens, math.ceil((usd or 0.0) * _NANO))


class Budgets:
    """Checks and reserves before a request to a model what it may use at most, and settles what it did use.

    While what the processes share is away, a request with a budget waits.
    """

    def __init__(self, job: Budget | None = None, owner_day: Budget | None = None, purse: Purse | None = None) -> None:
        self._job = job or Budget()
        self._owner_day = owner_day or Budget()
        self._purse = purse or LocalPurse()
        self._outbox = Outbox()

    @property
    def in_money(self) -> bool:
        """Whether a budget is one of money, so that the price of a model must be known."""
        return self._job.usd is not None or self._owner_day.usd is not None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Settles while it is open."""
        async with self._outbox:
            yield

    def accounts(self, request: GenerationRequest) -> Sequence[Account]:
        """Who pays for `request`: the job, and its owner's day (UTC)."""
        found: list[Account] = []
        if self._job and request.job_id:
            found.append(_account(f"job:{request.job_id}", self._job))
        if self._owner_day and request.owner:
            found.append(_account(f"owner:{request.owner}:{datetime.now(UTC).date()}", self._owner_day))
        return found

    async def reserve(self, accounts: Sequence[Account], request: str, wanted: Sum, *, seconds: float) -> None:
        """Returns once `wanted` is reserved on all `accounts`. Raises GenerationError when too little is left."""
        try:
            for account in accounts:
                await self._reserve(account, request, wanted, seconds)
        except BaseException:
            self.settle(accounts, request, Sum())
            raise

    def settle(self, accounts: Sequence[Account], request: str, used: Sum) -> None:
        """Books what a request used."""
        for account in accounts:
            self._outbox.put(lambda account=account: self._purse.spend(account, request, used))

    async def _reserve(self, account: Account, request: str, wanted: Sum, seconds: float) -> None:
        while True:
            try:
                came = await self._purse.reserve(account, request, wanted, seconds=seconds)
            except AwayError:
                came = Reserved.LATER
            if came is Reserved.DONE:
                return
            if came is Reserved.TOO_LITTLE:
                raise GenerationError("budget_exceeded", _exceeded(account))
            await asyncio.sleep(_POLL_SECONDS)


def _account(name: str, budget: Budget) -> Account:
    return Account(name, budget.tokens, None if budget.usd is None else round(budget.usd * _NANO))


def _exceeded(account: Account) -> str:
    parts: list[str] = []
    if account.tokens is not None:
        parts.append(f"{account.tokens:,} tokens")
    if account.nano_usd is not None:
        parts.append(f"${account.nano_usd / _NANO:.2f}")
    allowed = " or ".join(parts)
    if account.name.startswith("job:"):
        return f"this job needs more than its budget of {allowed}"
    return f"your budget of {allowed} a day is used up; it starts anew at midnight UTC"
