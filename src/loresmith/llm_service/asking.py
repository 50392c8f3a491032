"""How a model is asked for an object of a schema: what it is told, and what it is told when that went wrong."""

from __future__ import annotations

from typing import Final

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

from loresmith.llm.port import GenerationRequest
from loresmith.llm_service.dialects import ANTHROPIC, Dialect, Shape, dialect_for
from loresmith.llm_service.provider import Provider
from loresmith.llm_service.sendable import sendable, shape_of

DEFAULT_OUTPUT_TOKENS: Final = 512
_ROOM_FOR_THOUGHTS_TOKENS: Final = 1024


def first_messages(request: GenerationRequest) -> list[ModelMessage]:
    """What the model is told at first."""
    return [ModelRequest(parts=[UserPromptPart(content=request.prompt)], instructions=request.instructions)]


def repair_messages(response: ModelResponse, complaint: str) -> list[ModelMessage]:
    """What is added before it tries again."""
    if response.finish_reason == "length":
        complaint = "it is too long and was cut off"
    plea = f"That does not fit the schema: {complaint}. Answer with the whole corrected JSON object."
    call = _tool_call(response)
    if call is None:
        return [response, ModelRequest(parts=[UserPromptPart(content=plea)])]
    # A provider refuses a conversation in which a tool was called and did not answer.
    answer = ToolReturnPart(tool_name=call.tool_name, content=plea, tool_call_id=call.tool_call_id, outcome="retried")
    return [response, ModelRequest(parts=[answer])]


def parameters_for(model: Model, request: GenerationRequest) -> ModelRequestParameters:
    """Asks for the schema in the way in which the model keeps to it best.

    As a schema of the answer where the provider has that and takes this one, else as a tool that must be called, else
    in words.
    """
    dialect, shape = dialect_for(model), shape_of(request.output_schema)
    schema, strict = sendable(request.output_schema, dialect), _strictness(dialect, shape)
    if model.profile.get("supports_json_schema_output", False) and dialect.native(shape):
        output = OutputObjectDefinition(json_schema=schema, name=request.schema_name, strict=strict)
        return ModelRequestParameters(output_mode="native", output_object=output)
    if model.profile.get("supports_tools", True):
        tool = ToolDefinition(
            name=request.schema_name,
            parameters_json_schema=schema,
            description="Takes the answer.",
            kind="output",
            strict=strict,
        )
        return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
    output = OutputObjectDefinition(json_schema=schema, name=request.schema_name, strict=strict)
    return ModelRequestParameters(output_mode="prompted", output_object=output)


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
    provider: Provider, model: Model, request: GenerationRequest, first_token_seconds: float | None
) -> ModelSettings:
    """The settings of one request; with `first_token_seconds` a model that says nothing for so long has failed."""
    settings = ModelSettings(max_tokens=most_output_tokens(model, request))
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    if request.seed is not None:
        settings["seed"] = request.seed
    if first_token_seconds is not None:
        settings["first_event_timeout"] = first_token_seconds
    return merge_model_settings(provider.settings, settings) or settings


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
    return call.args_as_json_str() if call else response.text or ""


def ended(response: ModelResponse) -> bool:
    """Whether the provider said why the answer ends; else its stream broke, which some adapters take for an end."""
    return bool((response.provider_details or {}).get("finish_reason"))


def _tool_call(response: ModelResponse) -> ToolCallPart | None:
    return next((part for part in response.parts if isinstance(part, ToolCallPart)), None)
