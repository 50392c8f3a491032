"""One generation by one model: ask it, judge its output, have it repaired once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final as Constant

from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.exceptions import ModelRequestTimeout, ModelTimeoutError
from pydantic_ai.messages import ModelMessage, ModelResponse, PartDeltaEvent, PartStartEvent
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.models.instrumented import InstrumentationSettings

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, Partial
from loresmith.llm.wire import Queued, WireEvent
from loresmith.llm_service import asking
from loresmith.llm_service.failures import as_generation_error
from loresmith.llm_service.fields import FieldReader
from loresmith.llm_service.gate import Entered, Gate
from loresmith.llm_service.prices import Rates, rates_of
from loresmith.llm_service.progress import Progress
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.schema import OutputSchema, Verdict
from loresmith.llm_service.spending import Spending, Spent, most_tokens, spent_on
from loresmith.llm_service.waiting import Waiting

LARGEST_OUTPUT_BYTES: Constant = 256 * 1024
_LONGEST_COMPLAINT: Constant = 300
_CHARACTERS_OF_A_TOKEN: Constant = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call was asked for, and what it has come to; models that follow each other share it."""

    request: GenerationRequest
    schema: OutputSchema
    progress: Progress
    spending: Spending
    instrument: InstrumentationSettings | bool = False
    """How requests to models are made spans of."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a model is waited for; reminders tell the caller meanwhile."""

    reminder_seconds: float
    pause_seconds: float
    """The longest pause of the provider that is waited out."""
    first_token_seconds: float | None = None
    """None: as long as the caller waits."""


class Generation:
    """One request to one provider; `events` runs it."""

    def __init__(self, asked: Asked, provider: Provider, gate: Gate, patience: Patience) -> None:
        self._asked = asked
        self._provider = provider
        self._gate = gate
        self._patience = patience
        self._answer: ModelResponse | None = None

    async def events(self) -> AsyncGenerator[WireEvent, None]:
        """Streams what the model does, then Final. Raises GenerationError."""
        try:
            async with aclosing(self._attempts()) as events:
                async for event in events:
                    yield event
        except Exception as error:
            failure = as_generation_error(error, self._provider.label)
            if failure is None:
                raise
            if failure.code == "provider_rate_limited" and failure.retryable and failure.retry_after_seconds:
                self._gate.limiter.pause(failure.retry_after_seconds)
            raise failure from error

    async def _attempts(self) -> AsyncGenerator[WireEvent, None]:
        messages = asking.first_messages(self._asked.request)
        told = (self._asked.request.instructions, self._asked.request.prompt, json.dumps(self._asked.schema.document))
        complaint = ""
        for _ in range(1 + self._asked.request.repairs):
            async with aclosing(self._ask(messages, most_tokens(*told))) as events:
                async for event in events:
                    yield event
            response = self._taken_answer()
            verdict = self._judge(response)
            if verdict.valid:
                yield Final(verdict.json)
                return
            complaint = "; ".join(verdict.problems)
            messages += asking.repair_messages(response, complaint)
            told = (*told, asking.answer_of(response), complaint)
        raise GenerationError(
            "output_invalid",
            f"the output of {self._provider.label!r} breaks its schema: {complaint[:_LONGEST_COMPLAINT]}",
        )

    async def _ask(self, messages: list[ModelMessage], input_tokens: int) -> AsyncGenerator[WireEvent, None]:
        """One answer of the model, left in `_answer`, once limits and budgets allow it."""
        model = self._provider.current()
        rates = rates_of(model)
        at_most = Spent(input_tokens, asking.most_output_tokens(model, self._asked.request))
        enter = self._gate.enter(self._asked.request, at_most, rates, patience_seconds=self._patience.pause_seconds)
        waiting = Waiting(
            enter, reminder_seconds=self._patience.reminder_seconds, drop=lambda entered: entered.settle(None)
        )
        async with aclosing(waiting.reminders()) as reminders:
            async for _ in reminders:
                yield Queued()
        sent = _Sent(self._provider, model, messages, rates, input_tokens, waiting.result)
        try:
            if self._provider.streams:
                async with aclosing(self._stream(sent)) as events:
                    async for event in events:
                        yield event
            else:
                await self._whole(sent)
        except BaseException as error:
            sent.fail(error)
            raise
        finally:
            self._asked.spending.add(self._provider.label, sent.spent)
            sent.entered.settle(sent.spent)

    async def _whole(self, sent: _Sent) -> None:
        parameters = asking.parameters_for(sent.model, self._asked.request)
        settings = asking.settings_for(self._provider, sent.model, self._asked.request, None)
        self._answer = await model_request(
            sent.model,
            sent.messages,
            model_settings=settings,
            model_request_parameters=parameters,
            instrument=self._asked.instrument,
        )
        sent.note(self._answer, 0)

    async def _stream(self, sent: _Sent) -> AsyncGenerator[WireEvent, None]:
        parameters = asking.parameters_for(sent.model, self._asked.request)
        limit = self._patience.first_token_seconds
        settings = asking.settings_for(self._provider, sent.model, self._asked.request, limit)
        self._asked.progress.restart()
        async with model_request_stream(
            sent.model,
            sent.messages,
            model_settings=settings,
            model_request_parameters=parameters,
            instrument=self._asked.instrument,
        ) as stream:
            pieces = _Pieces()
            try:
                async for event in stream:
                    if isinstance(event, PartStartEvent | PartDeltaEvent):
                        for done in self._take(sent, stream, pieces.add(asking.text_of(event))):
                            yield done
            finally:
                self._answer = stream.get()
                sent.note(self._answer, pieces.tokens)

    def _take(self, sent: _Sent, stream: StreamedResponse, pieces: _Pieces) -> list[FieldsDone | Partial]:
        if pieces.size > LARGEST_OUTPUT_BYTES:
            most = f"{LARGEST_OUTPUT_BYTES // 1024} KB"
            raise GenerationError("output_invalid", f"the output of {self._provider.label!r} is larger than {most}")
        so_far = self._asked.spending.with_more(sent.so_far(stream, pieces.tokens))
        return list(self._asked.progress.take(pieces.last, so_far))

    def _taken_answer(self) -> ModelResponse:
        response, self._answer = self._answer, None
        if response is None or response.finish_reason == "content_filter":
            message = f"{self._provider.label!r} refused to write this"
            raise GenerationError("content_refused", message)
        return response

    def _judge(self, response: ModelResponse) -> Verdict:
        """Judges the JSON object of an answer, without a code fence or words around it."""
        answer = asking.answer_of(response)
        if (read := self._asked.progress.whole_object) and read in answer:
            return self._asked.schema.judge(read)  # else it would be read twice, which takes longer than all the rest
        reader = FieldReader()
        for _ in reader.feed(answer):
            pass
        if not reader.complete and not asking.ended(response):
            message = f"the answer of {self._provider.label!r} broke off"
            raise GenerationError("provider_unavailable", message)
        return self._asked.schema.judge(reader.object_text)


class _Pieces:
    """The text of an answer as it comes."""

    def __init__(self) -> None:
        self.last = ""
        self.size = 0
        self._count = 0

    def add(self, text: str) -> _Pieces:
        self.last = text
        self._count += 1
        self.size += len(text.encode(errors="replace"))
        return self

    @property
    def tokens(self) -> int:
        """An estimate: a piece is a token at least, and some providers send many in one."""
        return max(self._count, self.size // _CHARACTERS_OF_A_TOKEN)


@dataclass(slots=True)
class _Sent:
    """A request under way, and what it has used."""

    provider: Provider
    model: Model
    messages: list[ModelMessage]
    rates: Rates | None
    input_tokens: int
    entered: Entered
    spent: Spent = field(default_factory=Spent)
    _noted: bool = False

    def so_far(self, stream: StreamedResponse, seen: int) -> Spent:
        told = stream.usage
        read, written = told.input_tokens or self.input_tokens, max(told.output_tokens, seen)
        return Spent(read, written, self.rates.cost(read, written) if self.rates else None)

    def note(self, answer: ModelResponse, seen: int) -> None:
        self._noted = True
        self.spent = spent_on(answer, self.rates, input_tokens=self.input_tokens, output_tokens=seen)

    def fail(self, error: BaseException) -> None:
        """Counts what was read by a model that had no time to answer; one that refused at once read nothing."""
        left = isinstance(error, asyncio.CancelledError | GeneratorExit | ModelRequestTimeout | ModelTimeoutError)
        if not self._noted and left:
            cost = self.rates.cost(self.input_tokens, 0) if self.rates else None
            self.spent = Spent(self.input_tokens, 0, cost)
