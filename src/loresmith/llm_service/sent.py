"""A request under way to a model: what came of it so far, and what it has used."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from pydantic_ai.exceptions import ModelRequestTimeout, ModelTimeoutError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, StreamedResponse

from loresmith.llm.errors import GenerationError
from loresmith.llm_service.gate import Entered
from loresmith.llm_service.modes import OutputMode
from loresmith.llm_service.prices import Rates
from loresmith.llm_service.spending import Spent, spent_on

_CHARACTERS_OF_A_TOKEN: Final = 4


class Pieces:
    """The text of an answer as it comes."""

    def __init__(self) -> None:
        self.last = ""
        self.size = 0
        self._count = 0

    def add(self, text: str) -> Pieces:
        """Take in the next piece."""
        self.last = text
        self._count += 1
        self.size += len(text.encode(errors="replace"))
        return self

    @property
    def tokens(self) -> int:
        """An estimate: a piece is a token at least, and some providers send many in one."""
        return max(self._count, self.size // _CHARACTERS_OF_A_TOKEN)


@dataclass(slots=True)
class Sent:
    """A request under way."""

    model: Model
    mode: OutputMode
    messages: list[ModelMessage]
    rates: Rates | None
    input_tokens: int
    entered: Entered
    spent: Spent = field(default_factory=Spent)
    _noted: bool = False

    def so_far(self, stream: StreamedResponse, seen: int) -> Spent:
        """What it has used by now; `seen` tokens were written at least."""
        told = stream.usage
        read, written = told.input_tokens or self.input_tokens, max(told.output_tokens, seen)
        return Spent(read, written, self.rates.cost(read, written) if self.rates else None)

    def note(self, answer: ModelResponse, seen: int) -> None:
        """Count what an answer used, complete or not."""
        self._noted = True
        self.spent = spent_on(answer, self.rates, input_tokens=self.input_tokens, output_tokens=seen)

    def fail(self, error: BaseException) -> None:
        """Count what was read by a model that had no time to answer; one that refused at once read nothing."""
        left = isinstance(error, asyncio.CancelledError | GeneratorExit | ModelRequestTimeout | ModelTimeoutError)
        silent = isinstance(error, GenerationError) and error.code == "provider_timeout"
        if not self._noted and (left or silent):
            cost = self.rates.cost(self.input_tokens, 0) if self.rates else None
            self.spent = Spent(self.input_tokens, 0, cost)
