"""The rules of a request, by the path of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.providers.rules import anthropic, decoders, openai
from tests.providers.rules.schemas import Refusal

Check = Callable[[Mapping[str, Any]], Refusal | None]


def check_for(path: str) -> Check:
    """The check of a server that is asked at `path`."""
    if "/messages" in path:
        return anthropic.check
    if "/responses" in path:
        return openai.check
    return decoders.check_compatible
