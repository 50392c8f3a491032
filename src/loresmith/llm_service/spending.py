"""What a call used: tokens over all its requests to models, and their price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from pydantic_ai.messages import ModelResponse

from loresmith.llm.port import Usage
from loresmith.llm_service.prices import Rates
from loresmith.telemetry.instruments import ModelMetrics

_BYTES_OF_A_TOKEN: Final = 3
_FRAME_TOKENS: Final = 32
"""What a provider wraps around a request."""


def most_tokens(*texts: str) -> int:
    """How many tokens `texts` are at the most, roughly: English has about four bytes to a token, few languages less."""
    return math.ceil(sum(len(text.encode(errors="replace")) for text in texts) / _BYTES_OF_A_TOKEN) + _FRAME_TOKENS


@dataclass(frozen=True, slots=True)
class Spent:
    """What one request to a model used; the price is None if it is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens


def spent_on(response: ModelResponse, rates: Rates | None, *, input_tokens: int, output_tokens: int) -> Spent:
    """What an answer used, complete or not.

    The two numbers are estimates that stand in where the provider did not tell, as when its stream was cut off.
    """
    told = response.usage
    read = told.input_tokens or input_tokens
    complete = response.finish_reason is not None
    written = told.output_tokens if complete and told.output_tokens else max(told.output_tokens, output_tokens)
    if told.input_tokens and written == told.output_tokens and (price := _price(response)) is not None:
        return Spent(read, written, price)
    return Spent(read, written, rates.cost(read, written) if rates else None)


class Spending:
    """Adds up the requests of one call."""

    def __init__(self, model: str, metrics: ModelMetrics | None = None) -> None:
        self._model = model
        self._metrics = metrics
        self._input_tokens = 0
        self._output_tokens = 0
        self._cost_usd: float | None = 0.0

    def add(self, model: str, spent: Spent) -> None:
        """Counts one request; `model` wrote, if anything was written."""
        self._model = model
        if spent.tokens:
            if self._metrics is not None:
                self._metrics.used(model, spent.input_tokens, spent.output_tokens, spent.cost_usd)
            total = self.with_more(spent)
            self._input_tokens, self._output_tokens, self._cost_usd = (
                *(total.input_tokens, total.output_tokens),
                total.cost_usd,
            )

    def __bool__(self) -> bool:
        return bool(self._input_tokens or self._output_tokens)

    def with_more(self, spent: Spent) -> Spent:
        """The sum, and a request under way."""
        known = self._cost_usd is not None and spent.cost_usd is not None
        cost = (self._cost_usd or 0.0) + (spent.cost_usd or 0.0) if known else None
        return Spent(self._input_tokens + spent.input_tokens, self._output_tokens + spent.output_tokens, cost)

    def usage(self) -> Usage:
        """The sum."""
        return Usage(self._model, self._input_tokens, self._output_tokens, self._cost_usd)


def _price(response: ModelResponse) -> float | None:
    """The price in US dollars of what the provider told, caches included; None if the model is unknown."""
    if not response.model_name:
        return None
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return None
