"""One call to the model on behalf of a job: its answer, how far it is, its tokens booked."""

import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from loresmith.llm import port
from loresmith.llm.metering import Payer, metered
from loresmith.llm.port import FieldsDone, GenerationRequest, LoreModel


class Asker(Payer, Protocol):
    """The job that asks."""

    def remaining_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Written:
    """How far one call is: `done` of `total` fields, the first time or again."""

    done: int
    total: int
    again: bool = False
    """Whether this call asks anew for what was not fit before."""

    @property
    def share(self) -> float:
        """The part of the fields that is done, short of all: whether they are fit is not known yet."""
        return min(self.done / max(1, self.total), 0.99)

    @property
    def mark(self) -> int:
        """The checkpoint: how many fields are left, told apart for fields that are written again."""
        return max(0, self.total - self.done) + (_AGAIN if self.again else 1)


Told = Callable[[Written], None]
PART_DONE: Final = 0
"""The mark of a part that was found fit."""
_AGAIN: Final = 1000


async def answer(llm: LoreModel, asker: Asker, request: GenerationRequest, told: Told, *, again: bool = False) -> Any:
    """Return the JSON object that the model wrote; `told` takes how far it is.

    Raises GenerationError.
    """
    text = ""
    calls = metered(llm, asker, request, timeout_seconds=asker.remaining_seconds())
    async with aclosing(calls) as events:
        async for event in events:
            if isinstance(event, FieldsDone):
                told(Written(event.fields_done, event.fields_total, again))
            elif isinstance(event, port.Final):
                text = event.json
    return json.loads(text)
