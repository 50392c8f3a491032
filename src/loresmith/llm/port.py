"""The language model as a job type sees it: one request in, a stream of events out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

DEFAULT_OUTPUT_TOKENS = 512
"""Bound of an answer where neither the request nor the lore service's setting names one."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What to generate: one JSON object that satisfies `output_schema`.

    `max_output_tokens` bounds one answer; 0 stands for the lore service's default. `repairs` is how often an answer
    that breaks the schema is sent back to the model. `job_id` and `purpose` name the call in logs and traces, `owner`
    (a digest) pays for it; no model sees them.
    """

    instructions: str
    prompt: str
    output_schema: dict[str, Any]
    schema_name: str = "item"
    max_output_tokens: int = 0
    temperature: float | None = None
    seed: int | None = None
    job_id: str = ""
    purpose: str = ""
    owner: str = ""
    repairs: int = 1


@dataclass(frozen=True, slots=True)
class FieldsDone:
    """`fields_done` of `fields_total` leaf values of the object are complete.

    `fields_done` never falls within a call (a repair starts again and stays silent until it is
    further). `fields_total` is an estimate while arrays are open, and never below `fields_done`.
    The tokens and their price are those of the call so far, estimated where the provider does not tell.
    """

    fields_done: int
    fields_total: int
    output_tokens: int
    input_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """Valid JSON of an object that holds what is complete so far."""

    json: str


@dataclass(frozen=True, slots=True)
class Final:
    """JSON of the whole object, validated against the request's schema."""

    json: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What the call used, repairs and models that failed included; `cost_usd` is None if the price is unknown.

    `model` wrote the output.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


GenerationEvent = FieldsDone | Partial | Final | Usage


@dataclass(frozen=True, slots=True)
class ModelCapabilities:
    """What the model behind the port can do."""

    model: str
    streams: bool
    """Whether FieldsDone come while it generates; if not, progress must be simulated."""
    concurrent_calls: int
    """Calls that run at once; more wait for a slot."""
    guided: bool = False
    """Whether the model is too small to follow a prompt and needs the guides of `loresmith.small_model`."""


@runtime_checkable
class LoreModel(Protocol):
    """A language model that writes JSON objects."""

    def generate(self, request: GenerationRequest, *, timeout_seconds: float) -> AsyncGenerator[GenerationEvent, None]:
        """Streams FieldsDone and Partial events, then one Final and one Usage.

        Closing the iterator, or cancelling the task that reads it, stops the model.
        Raises GenerationError; `provider_timeout` when `timeout_seconds` are over.
        """
        ...

    async def capabilities(self) -> ModelCapabilities:
        """Which model it is and what it can do. Raises GenerationError if it cannot be asked."""
        ...
