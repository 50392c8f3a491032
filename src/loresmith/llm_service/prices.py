"""What tokens cost at a provider, from genai-prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from genai_prices import Usage, calc_price
from pydantic_ai.models import Model

_SAMPLE_TOKENS: Final = 1000


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one model, in US dollars per token."""

    input_usd: float
    output_usd: float

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """The price of so many tokens."""
        return input_tokens * self.input_usd + output_tokens * self.output_usd


def rates_of(model: Model) -> Rates | None:
    """The prices of `model`, by the name of its provider, else by the provider's address; None if unknown."""
    return _rates(model.model_name, model.system, model.base_url)


@lru_cache(maxsize=64)
def _rates(name: str, provider: str, url: str | None) -> Rates | None:
    places: list[Mapping[str, Any]] = [{"provider_id": provider}]
    if url:
        places.append({"provider_api_url": url})
    for place in places:
        try:
            read = calc_price(Usage(input_tokens=_SAMPLE_TOKENS, output_tokens=0), name, **place)
            written = calc_price(Usage(input_tokens=0, output_tokens=_SAMPLE_TOKENS), name, **place)
        except LookupError:
            continue
        return Rates(float(read.total_price) / _SAMPLE_TOKENS, float(written.total_price) / _SAMPLE_TOKENS)
    return None
