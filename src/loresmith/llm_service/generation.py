"""One generation: ask the model, judge its output, repair it once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final as Constant

from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings, merge_model_settings

from loresmith.llm.errors import GenerationError
from loresmith.llm.port import FieldsDone, Final, GenerationEvent, GenerationRequest, Partial
from loresmith.llm_service.failures import as_generation_error
from loresmith.llm_service.fields import FieldReader, expected_fields
from loresmith.llm_service.progress import Progress
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.schema import Verdict, output_schema
from loresmith.llm_service.spending import Spending

_ATTEMPTS: Constant = 2
_LONGEST_COMPLAINT: Constant = 300


class Generation:
    """One request to one provider; `events` runs it."""

    def __init__(self, provider: Provider, request: GenerationRequest) -> None:
        """Raises ValueError if the request's schema is not the schema of an object."""
        self._provider = provider
        self._request = request
        self._schema = output_schema(request.output_schema)
        self._progress = Progress(expected_fields(self._schema.document))
        self._spending = Spending(provider.label)
        self._answer: ModelResponse | None = None

    async def events(self) -> AsyncGenerator[GenerationEvent, None]:
        """Streams what the model does, then Final and Usage.

        Raises GenerationError, after a Usage if the model had written something.
        """
        try:
            async for event in self._attempts():
                yield event
        except Exception as error:
            if self._spending.written:
                yield self._spending.usage()
            if failure := as_generation_error(error, self._provider.label):
                raise failure from error
            raise
        yield self._spending.usage()

    async def _attempts(self) -> AsyncGenerator[GenerationEvent, None]:
        messages: list[ModelMessage] = [
            ModelRequest(
                parts=[UserPromptPart(content=self._request.prompt)],
                instructions=self._request.instructions,
            )
        ]
        complaint = ""
        for _ in range(_ATTEMPTS):
            async for event in self._ask(messages):
                yield event
            response = self._taken_answer()
            verdict = self._judge(response)
            if verdict.valid:
                yield Final(verdict.json)
                return
            complaint = "; ".join(verdict.problems)
            plea = UserPromptPart(content=_plea(response, complaint))
            messages += [response, ModelRequest(parts=[plea])]
        raise GenerationError(
            "output_invalid",
            f"the output of {self._provider.label!r} breaks its schema: {complaint[:_LONGEST_COMPLAINT]}",
        )

    async def _ask(self, messages: list[ModelMessage]) -> AsyncGenerator[FieldsDone | Partial, None]:
        """One answer of the model, left in `_answer`."""
        model = self._provider.current()
        parameters = _parameters(self._provider, model, self._request)
        settings = _settings(self._provider, self._request)
        if self._provider.streams:
            async for event in self._stream(model, messages, settings, parameters):
                yield event
            return
        self._answer = await model_request(
            model, messages, model_settings=settings, model_request_parameters=parameters
        )
        self._spending.add(self._answer, tokens_seen=0)

    async def _stream(
        self,
        model: Model,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> AsyncGenerator[FieldsDone | Partial, None]:
        self._progress.restart()
        before = self._spending.written
        seen = 0
        async with model_request_stream(
            model, messages, model_settings=settings, model_request_parameters=parameters
        ) as stream:
            try:
                async for event in stream:
                    if isinstance(event, PartStartEvent | PartDeltaEvent):
                        seen += 1
                        written = before + max(seen, stream.usage.output_tokens)
                        for done in self._progress.take(_text_of(event), tokens=written):
                            yield done
            finally:
                self._answer = stream.get()
                self._spending.add(self._answer, tokens_seen=seen)

    def _taken_answer(self) -> ModelResponse:
        response, self._answer = self._answer, None
        if response is None or response.finish_reason == "content_filter":
            message = f"{self._provider.label!r} refused to write this"
            raise GenerationError("content_refused", message)
        return response

    def _judge(self, response: ModelResponse) -> Verdict:
        """Judges the JSON object of an answer, without a code fence or words around it."""
        reader = FieldReader()
        for _ in reader.feed(response.text or ""):
            pass
        return self._schema.judge(reader.object_text)


def _parameters(provider: Provider, model: Model, request: GenerationRequest) -> ModelRequestParameters:
    """Asks for the schema natively where the model can, else in the instructions."""
    native = model.profile.get("supports_json_schema_output", False)
    schema = provider.decoding(request.output_schema) if provider.decoding else request.output_schema
    output = OutputObjectDefinition(json_schema=schema, name=request.schema_name)
    return ModelRequestParameters(output_mode="native" if native else "prompted", output_object=output)


def _settings(provider: Provider, request: GenerationRequest) -> ModelSettings:
    settings = ModelSettings(max_tokens=request.max_output_tokens)
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    if request.seed is not None:
        settings["seed"] = request.seed
    return merge_model_settings(provider.settings, settings) or settings


def _text_of(event: PartStartEvent | PartDeltaEvent) -> str:
    """The piece of the answer that came; empty for a piece of thought."""
    match event:
        case PartStartEvent(part=TextPart(content=text)):
            return text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def _plea(response: ModelResponse, complaint: str) -> str:
    """What the model is told before it tries again."""
    if response.finish_reason == "length":
        complaint = "it is too long and was cut off"
    return f"That does not fit the schema: {complaint}. Answer with the whole corrected JSON object."
