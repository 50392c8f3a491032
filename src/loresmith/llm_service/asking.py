"""How a model is asked for an object of a schema: what it is told, and what it is told when that went wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings, merge_model_settings
from pydantic_ai.tools import ToolDefinition

from loresmith.llm.port import DEFAULT_OUTPUT_TOKENS, GenerationRequest
from loresmith.llm_service.dialects import ANTHROPIC, NARROW, Dialect, Shape, dialect_for
from loresmith.llm_service.modes import OutputMode
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.sendable import sendable, shape_of

_ROOM_FOR_THOUGHTS_TOKENS: Final = 1024


def first_messages(request: GenerationRequest) -> list[ModelMessage]:
    """What the model is told at first."""
    return [ModelRequest(parts=[UserPromptPart(content=request.prompt)], instructions=request.instructions)]


def repair_messages(response: ModelResponse, complaint: str) -> list[ModelMessage]:
    """What is added before it tries again."""
    plea = f"That does not fit the schema: {complaint}. Answer with the whole corrected JSON object."
    call = _tool_call(response)
    if call is None:
        return [response, ModelRequest(parts=[UserPromptPart(content=plea)])]
    # A provider refuses a conversation in which a tool was called and did not answer.
    answer = ToolReturnPart(tool_name=call.tool_name, content=plea, tool_call_id=call.tool_call_id, outcome="retried")
    return [response, ModelRequest(parts=[answer])]


def mode_for(provider: Provider, model: Model, request: GenerationRequest) -> OutputMode:
    """The best way to ask for the schema that the server is not known to refuse, and that its provider has for it."""
    mode = provider.modes.current
    if mode is not OutputMode.JSON_SCHEMA or provider.modes.is_fixed:
        return mode
    has_native = model.profile.get("supports_json_schema_output", False)
    if has_native and dialect_for(model).native(shape_of(request.output_schema)):
        return mode
    return OutputMode.TOOL if model.profile.get("supports_tools", True) else OutputMode.WORDS


def parameters_for(model: Model, request: GenerationRequest, mode: OutputMode) -> ModelRequestParameters:
    """Asks for the schema in one of the ways."""
    dialect = dialect_for(model)
    schema = sendable(request.output_schema, dialect)
    strict = _strictness(dialect, shape_of(request.output_schema))
    if mode is OutputMode.JSON_SCHEMA:
        output = OutputObjectDefinition(json_schema=schema, name=request.schema_name, strict=strict)
        return ModelRequestParameters(output_mode="native", output_object=output)
    if mode is OutputMode.TOOL:
        tool = ToolDefinition(
            name=request.schema_name,
            parameters_json_schema=schema,
            description="Takes the answer.",
            kind="output",
            strict=strict,
        )
        return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
    return ModelRequestParameters()


def messages_for(messages: Sequence[ModelMessage], request: GenerationRequest, mode: OutputMode) -> list[ModelMessage]:
    """What the model is told in one of the ways: where the schema goes into no field, the instructions hold it."""
    first, *others = messages
    if mode not in (OutputMode.JSON_OBJECT, OutputMode.WORDS) or not isinstance(first, ModelRequest):
        return list(messages)
    schema = json.dumps(sendable(request.output_schema, NARROW), ensure_ascii=False)
    demand = f"Answer with one JSON object that satisfies this JSON schema, and with nothing else:\n{schema}"
    return [replace(first, instructions=f"{request.instructions}\n\n{demand}".strip()), *others]


def _strictness(dialect: Dialect, shape: Shape) -> bool | None:
    """Whether the provider is to hold the model to the schema letter by letter; None: pydantic-ai decides."""
    if not shape.fits_strict:
        return None if dialect is ANTHROPIC else False
    return True if dialect.strict else None


def most_output_tokens(model: Model, request: GenerationRequest) -> int:
    """The most that one answer may have; a model that cannot but think gets room for its thoughts too."""
    thinks = model.profile.get("thinking_always_enabled", False)
    return (request.max_output_tokens or DEFAULT_OUTPUT_TOKENS) + (_ROOM_FOR_THOUGHTS_TOKENS if thinks else 0)


def settings_for(
    provider: Provider,
    model: Model,
    request: GenerationRequest,
    mode: OutputMode,
    first_token_seconds: float | None = None,
) -> ModelSettings:
    """The settings of one request; with `first_token_seconds` a model that says nothing for so long has failed."""
    settings = ModelSettings(max_tokens=most_output_tokens(model, request))
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    if request.seed is not None:
        settings["seed"] = request.seed
    if first_token_seconds is not None:
        settings["first_event_timeout"] = first_token_seconds
    merged = merge_model_settings(provider.settings, settings) or settings
    if mode is OutputMode.JSON_OBJECT:
        body = cast("dict[str, object]", merged["extra_body"]) if "extra_body" in merged else {}
        merged["extra_body"] = {**body, "response_format": {"type": "json_object"}}
    return merged


def text_of(event: object) -> str:
    """The piece of the answer that came; empty for a piece of thought."""
    match event:
        case PartStartEvent(part=TextPart(content=text)):
            return text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case PartStartEvent(part=ToolCallPart(args=str(text))):
            return text
        case PartDeltaEvent(delta=ToolCallPartDelta(args_delta=str(text))):
            return text
        case _:
            return ""


def answer_of(response: ModelResponse) -> str:
    """The text that should hold the object."""
    call = _tool_call(response)
    if call:
        return call.args_as_json_str()
    # Some servers take the whole answer of a model that does not think for thoughts.
    return response.text or response.thinking or ""


def ended(response: ModelResponse) -> bool:
    """Whether the provider said why the answer ends; else its stream broke, which some adapters take for an end."""
    return bool((response.provider_details or {}).get("finish_reason"))


def _tool_call(response: ModelResponse) -> ToolCallPart | None:
    return next((part for part in response.parts if isinstance(part, ToolCallPart)), None)
