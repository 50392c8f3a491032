"""What a request may hold: texts of strangers are in it, and they are bounded and cleaned before a model sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from loresmith.llm.port import GenerationRequest
from loresmith.lore.quoting import without_unseen

LONGEST_INSTRUCTIONS: Final = 20_000
LONGEST_PROMPT: Final = 200_000
LONGEST_NAME: Final = 200
MOST_OUTPUT_TOKENS: Final = 32_768
MOST_REPAIRS: Final = 3
MOST_TEMPERATURE: Final = 2
_SCHEMA_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def cleaned(request: GenerationRequest) -> GenerationRequest:
    """`request` without characters that nobody sees. Raises ValueError that names what is too long or malformed."""
    _check("instructions", request.instructions, LONGEST_INSTRUCTIONS)
    _check("prompt", request.prompt, LONGEST_PROMPT)
    for name in ("job_id", "purpose", "owner"):
        _check(name, cast("str", getattr(request, name)), LONGEST_NAME)
    if not _SCHEMA_NAME.fullmatch(request.schema_name):
        raise ValueError(f"schema_name {request.schema_name!r} must match {_SCHEMA_NAME.pattern}")
    if request.repairs > MOST_REPAIRS:
        raise ValueError(f"repairs {request.repairs} is too large: expected at most {MOST_REPAIRS}")
    if request.max_output_tokens > MOST_OUTPUT_TOKENS:
        raise ValueError(f"max_output_tokens {request.max_output_tokens} is too large: expected {MOST_OUTPUT_TOKENS}")
    if request.temperature is not None and not 0 <= request.temperature <= MOST_TEMPERATURE:
        raise ValueError(f"temperature {request.temperature} is out of range: expected 0 to {MOST_TEMPERATURE}")
    return replace(
        request,
        instructions=visible(request.instructions),
        prompt=visible(request.prompt),
        output_schema=cast("dict[str, Any]", visible_value(request.output_schema)),
    )


def visible(text: str) -> str:
    """`text` without characters that nobody sees; line ends are line feeds."""
    return without_unseen(text.replace("\r\n", "\n").replace("\r", "\n"))


def visible_value(value: object) -> object:
    """A JSON value whose texts and names are `visible`."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [visible_value(each) for each in cast("list[object]", value)]
    if isinstance(value, Mapping):
        return {visible(name): visible_value(each) for name, each in cast("Mapping[str, object]", value).items()}
    return value


def _check(name: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise ValueError(f"{name} has {len(text)} characters: expected at most {longest}")
