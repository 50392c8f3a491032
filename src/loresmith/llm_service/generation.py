"""One generation by one model: ask it, judge its output, have it repaired once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final as Constant

import structlog
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UnexpectedModelBehavior, UserError
from pydantic_ai.messages import ModelMessage, ModelResponse, PartDeltaEvent, PartStartEvent
from pydantic_ai.models import Model, StreamedResponse
from pydantic_ai.models.instrumented import InstrumentationSettings

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, Final, GenerationRequest, Partial
from loresmith.llm.wire import Queued, WireEvent
from loresmith.llm_service import asking
from loresmith.llm_service.failures import as_generation_error
from loresmith.llm_service.gate import Gate
from loresmith.llm_service.modes import OutputMode
from loresmith.llm_service.object_text import is_json, likeliest_object, object_texts
from loresmith.llm_service.prices import rates_of
from loresmith.llm_service.progress import Progress
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.pump import Pump, SilentError
from loresmith.llm_service.said import provider_said
from loresmith.llm_service.schema import OutputSchema, Verdict
from loresmith.llm_service.sent import Pieces, Sent
from loresmith.llm_service.spending import Spending, Spent, most_tokens
from loresmith.llm_service.waiting import Waiting

LARGEST_OUTPUT_BYTES: Constant = 256 * 1024
MOST_CALLS: Constant = 4
"""Requests to providers that one call may cost, whatever comes of them."""
_LONGEST_COMPLAINT: Constant = 300

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(slots=True)
class CallCount:
    """Requests to providers that a call has cost."""

    used: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call was asked for, and what it has come to; models that follow each other share it."""

    request: GenerationRequest
    schema: OutputSchema
    progress: Progress
    spending: Spending
    instrument: InstrumentationSettings | bool = False
    """How requests to models are made spans of."""
    calls: CallCount = field(default_factory=CallCount)


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
            longest = self._provider.limits.longest_pause_seconds
            failure = as_generation_error(error, self._provider.label, longest_pause_seconds=longest)
            if failure is None:
                raise
            if failure.code == "provider_rate_limited" and failure.retryable and failure.retry_after_seconds:
                self._gate.limiter.pause(failure.retry_after_seconds)
            self._hint_at_version(error, failure)
            if failure is error:
                raise
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
            verdict = await asyncio.to_thread(self._judge, response)
            if verdict.valid:
                yield Final(verdict.json)
                return
            again = "; ".join(verdict.problems)
            if again == complaint or self._asked.calls.used >= MOST_CALLS:
                break
            complaint = again
            messages += asking.repair_messages(response, complaint)
            told = (*told, asking.answer_of(response), complaint)
        raise GenerationError(
            "output_invalid",
            f"the output of {self._provider.label!r} breaks its schema: {complaint[:_LONGEST_COMPLAINT]}",
        )

    async def _ask(self, messages: list[ModelMessage], input_tokens: int) -> AsyncGenerator[WireEvent, None]:
        """One answer of the model, asked for in the best way that its server takes."""
        while True:
            model = self._provider.current()
            mode = asking.mode_for(self._provider, model, self._asked.request)
            try:
                async with aclosing(self._ask_in(mode, model, messages, input_tokens)) as events:
                    async for event in events:
                        yield event
                return
            except (ModelHTTPError, UserError) as error:
                following = self._provider.modes.next_after(mode, error)
                if following is None or self._asked.progress.shown or self._asked.calls.used >= MOST_CALLS:
                    raise
                said = provider_said(error, self._asked.request, self._provider.secrets)
                facts = {"model": self._provider.label, "refused": str(mode), "next": str(following), **said}
                _log.warning("output_mode_refused", job_id=self._asked.request.job_id, **facts)

    async def _ask_in(
        self, mode: OutputMode, model: Model, messages: list[ModelMessage], input_tokens: int
    ) -> AsyncGenerator[WireEvent, None]:
        """One answer of the model, left in `_answer`, once limits and budgets allow it."""
        rates = rates_of(model)
        at_most = Spent(input_tokens, asking.most_output_tokens(model, self._asked.request))
        enter = self._gate.enter(self._asked.request, at_most, rates, patience_seconds=self._patience.pause_seconds)
        waiting = Waiting(
            enter, reminder_seconds=self._patience.reminder_seconds, drop=lambda entered: entered.settle(None)
        )
        async with aclosing(waiting.reminders()) as reminders:
            async for _ in reminders:
                yield Queued()
        told = asking.messages_for(messages, self._asked.request, mode)
        sent = Sent(model, mode, told, rates, input_tokens, waiting.result)
        self._asked.calls.used += 1
        try:
            async with aclosing(self._watched(sent)) as events:
                async for event in events:
                    yield event
        except BaseException as error:
            sent.fail(error)
            raise
        finally:
            self._asked.spending.add(self._provider.label, sent.spent)
            sent.entered.settle(sent.spent)

    async def _watched(self, sent: Sent) -> AsyncGenerator[WireEvent, None]:
        """Events of one request; while the provider is silent, but lives, the caller is reminded that it does."""
        limits = self._provider.limits
        pump = Pump(
            lambda: self._stream(sent) if self._provider.streams else self._whole(sent),
            reminder_seconds=self._patience.reminder_seconds,
            silence_seconds=limits.silence_seconds,
        )
        try:
            async with aclosing(pump.events()) as events:
                async for event in events:
                    yield Queued() if event is None else event
        except SilentError:
            message = f"{self._provider.label!r} sent nothing for {limits.silence_seconds:g} s"
            raise GenerationError("provider_timeout", message) from None

    async def _whole(self, sent: Sent) -> AsyncGenerator[WireEvent, None]:
        request = self._asked.request
        self._answer = await model_request(
            sent.model,
            sent.messages,
            model_settings=asking.settings_for(self._provider, sent.model, request, sent.mode),
            model_request_parameters=asking.parameters_for(sent.model, request, sent.mode),
            instrument=self._asked.instrument,
        )
        sent.note(self._answer, 0)
        return
        yield  # an async generator, as `_stream` is

    async def _stream(self, sent: Sent) -> AsyncGenerator[WireEvent, None]:
        request, limit = self._asked.request, self._patience.first_token_seconds
        self._asked.progress.restart()
        async with model_request_stream(
            sent.model,
            sent.messages,
            model_settings=asking.settings_for(self._provider, sent.model, request, sent.mode, limit),
            model_request_parameters=asking.parameters_for(sent.model, request, sent.mode),
            instrument=self._asked.instrument,
        ) as stream:
            pieces = Pieces()
            try:
                async for event in stream:
                    if isinstance(event, PartStartEvent | PartDeltaEvent):
                        for done in self._take(sent, stream, pieces.add(asking.text_of(event))):
                            yield done
            except (ModelAPIError, UnexpectedModelBehavior):
                if not self._has_whole_object():  # a connection that breaks after the object took nothing away
                    raise
            finally:
                self._answer = stream.get()
                sent.note(self._answer, pieces.tokens)

    def _has_whole_object(self) -> bool:
        whole = self._asked.progress.whole_object
        return bool(whole) and self._asked.schema.judge(whole).valid

    def _take(self, sent: Sent, stream: StreamedResponse, pieces: Pieces) -> list[FieldsDone | Partial]:
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
        """Judges the JSON object of an answer, without thoughts, fences and words around it."""
        answer, schema = asking.answer_of(response), self._asked.schema
        if (read := self._asked.progress.whole_object) and read == answer.strip():
            return schema.judge(read)  # else it would be read twice, which takes longer than all the rest
        valid = (verdict for text in object_texts(answer) if (verdict := schema.judge(text)).valid)
        if verdict := next(valid, None):
            return verdict
        if response.finish_reason == "length":
            raise self._cut_off(response)
        likeliest = likeliest_object(answer, set(schema.document.get("properties", {})))
        if not asking.ended(response) and not is_json(likeliest):
            message = f"the answer of {self._provider.label!r} broke off"
            raise GenerationError("provider_unavailable", message)
        return schema.judge(likeliest)

    def _cut_off(self, response: ModelResponse) -> GenerationError:
        most = self._asked.request.max_output_tokens or self._provider.limits.max_output_tokens
        thought = " with thoughts" if response.thinking else ""
        return GenerationError(
            "output_invalid",
            f"the output of {self._provider.label!r}{thought} was cut off at its limit of {most} tokens:"
            " raise max_output_tokens of the call, or LORESMITH_MODEL_MAX_OUTPUT_TOKENS",
        )

    def _hint_at_version(self, error: Exception, failure: GenerationError) -> None:
        """Say what an address without `/v1` comes to: nothing is there, or a page for people."""
        nothing = isinstance(error, ModelHTTPError) and error.status_code in (404, 405)
        if self._provider.lacks_version and (nothing or isinstance(error, UnexpectedModelBehavior)):
            failure.message = (
                f"the provider of {self._provider.label!r} does not answer at this address:"
                " LORESMITH_MODEL_BASE_URL seems to lack /v1"
            )
            failure.retryable = False
