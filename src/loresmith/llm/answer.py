"""One call to the model on behalf of a job: its answer, how much of it is done, its tokens booked."""

import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Protocol

from loresmith.llm.metering import Payer, metered
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, LoreModel


class Asker(Payer, Protocol):
    """The job that asks."""

    def remaining_seconds(self) -> float: ...


async def answer(llm: LoreModel, asker: Asker, request: GenerationRequest, told: Callable[[float], None]) -> Any:
    """Return the JSON object that the model wrote; `told` takes the share of its fields that are done.

    Raises GenerationError.
    """
    text = ""
    calls = metered(llm, asker, request, timeout_seconds=asker.remaining_seconds())
    async with aclosing(calls) as events:
        async for event in events:
            if isinstance(event, FieldsDone):
                told(event.fields_done / max(1, event.fields_total))
            elif isinstance(event, Final):
                text = event.json
    return json.loads(text)
