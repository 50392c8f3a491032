"""How far a generation is, from the pieces of text and the repairs of one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import orjson

from loresmith.llm.port import FieldsDone, Partial
from loresmith.llm_service.fields import Field, FieldReader
from loresmith.llm_service.spending import Spent

_PULSE_SECONDS: Final = 1.0


class Progress:
    """Turns what the model writes into FieldsDone and Partial events.

    Each finished field gives both; while tokens come without one, FieldsDone is repeated once a
    second as a sign of life. A second attempt is silent until it is further than the first.
    """

    def __init__(
        self, expected: int, names: frozenset[str] = frozenset(), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`names` are the properties that the object may have; empty: any."""
        self._expected = expected
        self._names = names
        self._clock = clock
        self._last_event = float("-inf")
        self._fields_done = 0
        self._reader = FieldReader()
        self._spent = Spent()

    @property
    def whole_object(self) -> str:
        """The JSON object of this attempt, without text around it; empty until it is whole."""
        return self._reader.object_text if self._reader.complete else ""

    def restart(self) -> None:
        """Begins the next attempt."""
        self._reader = FieldReader()

    @property
    def shown(self) -> bool:
        """Whether a finished field was told."""
        return self._fields_done > 0

    def take(self, text: str, spent: Spent) -> Iterator[FieldsDone | Partial]:
        """Reads the next piece; `spent` is what the call used so far, over all attempts."""
        self._spent = spent
        for field in self._reader.feed(text):
            yield from self._finish(field)
        if self._clock() - self._last_event >= _PULSE_SECONDS:
            yield self._pulse()

    def _finish(self, field: Field) -> Iterator[FieldsDone | Partial]:
        if field.number <= self._fields_done or not self._is_shown(field.partial):
            return
        self._fields_done = field.number
        yield self._pulse()
        yield Partial(field.partial)

    def _pulse(self) -> FieldsDone:
        self._last_event = self._clock()
        total = max(self._expected, self._fields_done)
        spent = self._spent
        return FieldsDone(self._fields_done, total, spent.output_tokens, spent.input_tokens, spent.cost_usd)

    def _is_shown(self, text: str) -> bool:
        """False for what no schema allows, such as a bare word, for half a character, and for an object of thoughts."""
        try:
            value = orjson.loads(text)
        except ValueError:
            return False
        return not self._names or self._names.issuperset(value)
