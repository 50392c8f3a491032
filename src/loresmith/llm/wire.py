"""The port's values as protobuf messages and back: shared by the gRPC client and the service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from loresmith.llm.pb import lore_pb2
from loresmith.llm.port import (
    DEFAULT_OUTPUT_TOKENS,
    FieldsDone,
    Final,
    GenerationEvent,
    GenerationRequest,
    Partial,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Queued:
    """The call waits its turn: a sign of life that the port does not show."""


WireEvent = GenerationEvent | Queued


def request_to_wire(request: GenerationRequest) -> lore_pb2.GenerateRequest:
    """`request` as it is sent."""
    return lore_pb2.GenerateRequest(
        instructions=request.instructions,
        prompt=request.prompt,
        json_schema=json.dumps(request.output_schema),
        schema_name=request.schema_name,
        limits=lore_pb2.Limits(max_output_tokens=request.max_output_tokens, repairs=request.repairs),
        temperature=request.temperature,
        seed=request.seed,
        job_id=request.job_id,
        purpose=request.purpose,
        owner=request.owner,
    )


def request_from_wire(
    message: lore_pb2.GenerateRequest, *, max_output_tokens: int = DEFAULT_OUTPUT_TOKENS
) -> GenerationRequest:
    """What was asked for; `max_output_tokens` holds where the message has none.

    Raises ValueError if the schema is not a JSON object.
    """
    try:
        schema: Any = json.loads(message.json_schema, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("json_schema is not JSON: nested too deep") from None
    except ValueError as error:
        raise ValueError(f"json_schema is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise ValueError("json_schema must be the schema of an object")
    limits = message.limits
    return GenerationRequest(
        instructions=message.instructions,
        prompt=message.prompt,
        output_schema=cast("dict[str, Any]", schema),
        schema_name=message.schema_name or "item",
        max_output_tokens=limits.max_output_tokens or max_output_tokens,
        temperature=message.temperature if message.HasField("temperature") else None,
        seed=message.seed if message.HasField("seed") else None,
        job_id=message.job_id,
        purpose=message.purpose,
        owner=message.owner,
        repairs=limits.repairs if limits.HasField("repairs") else 1,
    )


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def event_to_wire(event: WireEvent) -> lore_pb2.GenerationEvent:
    """`event` as it is sent."""
    match event:
        case Queued():
            return lore_pb2.GenerationEvent(queued=lore_pb2.Queued())
        case FieldsDone():
            return lore_pb2.GenerationEvent(progress=_progress_to_wire(event))
        case Partial(text):
            return lore_pb2.GenerationEvent(partial=lore_pb2.Partial(json=text))
        case Final(text):
            return lore_pb2.GenerationEvent(final=lore_pb2.Final(json=text))
        case Usage(model, read, written, cost):
            usage = lore_pb2.Usage(model=model, input_tokens=read, output_tokens=written, cost_usd=cost)
            return lore_pb2.GenerationEvent(usage=usage)


def event_from_wire(message: lore_pb2.GenerationEvent) -> WireEvent | None:
    """What was sent; None for a kind of event that a newer service knows and we do not."""
    match message.WhichOneof("event"):
        case "queued":
            return Queued()
        case "progress":
            return _progress_from_wire(message.progress)
        case "partial":
            return Partial(message.partial.json)
        case "final":
            return Final(message.final.json)
        case "usage":
            return _usage_from_wire(message.usage)
        case _:
            return None


def _progress_to_wire(event: FieldsDone) -> lore_pb2.Progress:
    return lore_pb2.Progress(
        fields_done=event.fields_done,
        fields_total=event.fields_total,
        output_tokens=event.output_tokens,
        input_tokens=event.input_tokens,
        cost_usd=event.cost_usd,
    )


def _progress_from_wire(told: lore_pb2.Progress) -> FieldsDone:
    cost = told.cost_usd if told.HasField("cost_usd") else None
    return FieldsDone(told.fields_done, told.fields_total, told.output_tokens, told.input_tokens, cost)


def _usage_from_wire(usage: lore_pb2.Usage) -> Usage:
    cost = usage.cost_usd if usage.HasField("cost_usd") else None
    return Usage(usage.model, usage.input_tokens, usage.output_tokens, cost)
