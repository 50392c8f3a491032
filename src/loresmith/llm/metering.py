"""A call to the model whose tokens are booked to a job, whatever comes of the call."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from loresmith.llm.port import FieldsDone, GenerationEvent, GenerationRequest, LoreModel, Usage


class Payer(Protocol):
    """The job that pays: see loresmith.jobs.JobContext."""

    @property
    def owner_digest(self) -> str: ...
    def add_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None = None,
        wasted: bool = False,
    ) -> None: ...
    def in_flight(self, call: object, input_tokens: int, output_tokens: int, cost_usd: float | None = None) -> None: ...


async def metered(
    llm: LoreModel, payer: Payer, request: GenerationRequest, *, timeout_seconds: float
) -> AsyncGenerator[GenerationEvent, None]:
    """Streams what `llm.generate` does, in the name of the job's owner, and books the usage.

    A call that fails is booked as wasted, and so is one that is cut off: with what the model had written by then.
    """
    request = replace(request, owner=payer.owner_digest)
    meter = _Meter(payer)
    try:
        async with aclosing(llm.generate(request, timeout_seconds=timeout_seconds)) as events:
            async for event in events:
                meter.note(event)
                yield event
    except BaseException:
        meter.book(wasted=True)
        raise
    meter.book(wasted=False)


class _Meter:
    def __init__(self, payer: Payer) -> None:
        self._payer = payer
        self._so_far: FieldsDone | None = None
        self._usage: Usage | None = None

    def note(self, event: GenerationEvent) -> None:
        if isinstance(event, FieldsDone):
            self._so_far = event
            self._payer.in_flight(self, event.input_tokens, event.output_tokens, event.cost_usd)
        elif isinstance(event, Usage):
            self._usage = event

    def book(self, *, wasted: bool) -> None:
        usage = self._usage
        if usage is None and (so_far := self._so_far) is not None:
            usage = Usage("", so_far.input_tokens, so_far.output_tokens, so_far.cost_usd)
        if self._so_far is not None:
            self._payer.in_flight(self, 0, 0)
        if usage is not None:
            self._payer.add_usage(
                model=usage.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost_usd=usage.cost_usd,
                wasted=wasted,
            )
