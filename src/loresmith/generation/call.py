"""One call to the model on behalf of a job: its answer, its progress, its usage."""

import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from loresmith.generation.progress import Part
from loresmith.jobs import JobContext
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, LoreModel, Partial, Usage

OnPartial = Callable[[dict[str, Any]], Awaitable[None]]
"""Receives the object as far as it is complete, after each finished field."""


async def call_model(
    ctx: JobContext[Any, Any],
    request: GenerationRequest,
    part: Part,
    *,
    repeats: bool = False,
    on_partial: OnPartial | None = None,
) -> Any:
    """Return the JSON object that the model wrote, valid against `request.output_schema`.

    The owner pays, and the usage is booked whatever the call comes to: a call that fails or is cancelled counts as
    wasted, with the tokens up to that moment. `repeats` says that the call repeats one whose answer was not valid.

    Raises GenerationError.
    """
    request = replace(request, owner=ctx.owner_digest, job_id=ctx.job_id)
    calls = ctx.resource(LoreModel).generate(request, timeout_seconds=ctx.remaining_seconds())
    booking, text = _Booking(ctx), ""
    try:
        async with aclosing(calls) as events:
            async for event in events:
                match event:
                    case FieldsDone():
                        booking.note(event)
                        part.advance(event.fields_done, event.fields_total, repeats=repeats)
                    case Partial() if on_partial is not None:
                        await on_partial(json.loads(event.json))
                    case Usage():
                        booking.usage = event
                    case Final():
                        text = event.json
                    case _:
                        pass
    except BaseException:
        booking.close(wasted=True)
        raise
    booking.close(wasted=False)
    return json.loads(text)


class _Booking:
    """The usage of one call, booked to the job once it is over and visible as in flight until then."""

    def __init__(self, ctx: JobContext[Any, Any]) -> None:
        self._ctx = ctx
        self._so_far: FieldsDone | None = None
        self.usage: Usage | None = None

    def note(self, so_far: FieldsDone) -> None:
        self._so_far = so_far
        self._ctx.in_flight(self, so_far.input_tokens, so_far.output_tokens, so_far.cost_usd)

    def close(self, *, wasted: bool) -> None:
        so_far, usage = self._so_far, self.usage
        if so_far is not None:
            self._ctx.in_flight(self, 0, 0)
            usage = usage or Usage("", so_far.input_tokens, so_far.output_tokens, so_far.cost_usd)
        if usage is not None:
            self._ctx.add_usage(
                model=usage.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost_usd=usage.cost_usd,
                wasted=wasted,
            )
