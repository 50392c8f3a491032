"""A provider's own words about a failure, for the operator: without secrets and without the prompt."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Final

from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UnexpectedModelBehavior

from loresmith.llm.port import GenerationRequest

LONGEST_BODY_BYTES: Final = 2048
_SHORTEST_SECRET: Final = 6
_SHINGLE: Final = 16
"""A run of so many characters that the prompt has as well is taken to be of the prompt."""
_SECRET_NAME: Final = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
_SECRET: Final = re.compile(r"\b(?:sk|pk|rk|gsk|xai|AIza|hf|key)[-_][\w*.-]{4,}|(?i:bearer|basic) [\w.~+/=*-]{4,}")


def provider_said(
    error: BaseException | None, request: GenerationRequest, secrets: Iterable[str] = ()
) -> dict[str, object]:
    """Return the status and the body of a provider's refusal as facts of a log; empty if there was none."""
    if not isinstance(error, ModelAPIError | UnexpectedModelBehavior):
        error = error.__cause__ if error is not None else None
    if not isinstance(error, ModelAPIError | UnexpectedModelBehavior):
        return {}
    body: object = getattr(error, "body", None)
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str) if body else str(error)
    facts: dict[str, object] = {"provider_answer": masked(text, request, secrets)}
    if isinstance(error, ModelHTTPError):
        facts = {"provider_status": error.status_code, **facts}
    return facts


def masked(text: str, request: GenerationRequest, secrets: Iterable[str] = ()) -> str:
    """Return the first 2 KB of `text` with each secret as `[secret]` and what is of the prompt as `[prompt]`."""
    for secret in sorted({*secrets, *_secrets_of_environment()}, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[secret]")
    text = _SECRET.sub("[secret]", text)
    text = "".join(_without_prompt(text, _shingles(request)))
    return text.encode(errors="replace")[:LONGEST_BODY_BYTES].decode(errors="ignore")


def _secrets_of_environment() -> Iterator[str]:
    return (value for name, value in os.environ.items() if _SECRET_NAME.search(name))


def _shingles(request: GenerationRequest) -> frozenset[str]:
    told = (request.prompt, request.instructions)
    texts = (form for text in told for form in (text, json.dumps(text, ensure_ascii=False), json.dumps(text)))
    return frozenset(
        text[at : at + _SHINGLE] for text in texts for at in range(max(1, len(text) - _SHINGLE + 1)) if text.strip()
    )


def _without_prompt(text: str, shingles: frozenset[str]) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = at
        while text[end : end + _SHINGLE] in shingles:
            end += 1
        if end == at:
            yield text[at]
            at += 1
        else:
            yield "[prompt]"
            at = min(end - 1 + _SHINGLE, len(text))
