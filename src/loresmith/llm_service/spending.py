"""What a generation used: tokens over all its attempts, and their price."""

from __future__ import annotations

from pydantic_ai.messages import ModelResponse

from loresmith.llm.port import Usage


class Spending:
    """Adds up the answers of one model."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._input_tokens = 0
        self._output_tokens = 0
        self._cost_usd: float | None = 0.0

    def add(self, response: ModelResponse, *, tokens_seen: int) -> None:
        """Counts one answer, complete or not.

        `tokens_seen` stands in where the provider did not tell, as when its stream broke.
        """
        usage = response.usage
        self._input_tokens += usage.input_tokens
        self._output_tokens += usage.output_tokens or tokens_seen
        price = _price(response)
        self._cost_usd = None if price is None else _plus(self._cost_usd, price)

    @property
    def written(self) -> int:
        """Tokens written so far."""
        return self._output_tokens

    def usage(self) -> Usage:
        """The sum."""
        return Usage(self._model, self._input_tokens, self._output_tokens, self._cost_usd)


def _plus(total: float | None, price: float) -> float | None:
    return None if total is None else total + price


def _price(response: ModelResponse) -> float | None:
    """The price in US dollars, from genai-prices; None if the model or the usage is unknown."""
    if not response.model_name or not response.usage.has_values():
        return None
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError):
        return None
