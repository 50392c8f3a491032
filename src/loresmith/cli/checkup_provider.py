"""One tiny real request of the doctor to the model that is configured: what was sent, and what came."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, Final

from loresmith.cli.checkup import Finding, Level
from loresmith.settings import Settings

_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"colour": {"type": "string", "description": "One colour."}},
    "required": ["colour"],
    "additionalProperties": False,
}
_PROMPT: Final = "Name a colour."


async def look_at_provider(settings: Settings) -> list[Finding]:
    """Ask the model, by the settings of this process, for one object of one field."""
    from loresmith.cli.lore import find_route
    from loresmith.cli.stack import StartError

    if settings.model is None or settings.model.startswith("gguf:"):
        return [Finding("model answer", Level.NOTE, "the embedded model is not asked: it runs with `loresmith run`")]
    try:
        route = find_route(settings, None)
    except StartError as error:
        return [Finding("model answer", Level.WRONG, str(error), "see LORESMITH_MODEL")]
    async with AsyncExitStack() as stack:
        for resource in route.resources():
            await stack.enter_async_context(resource)
        return await _asked(route)


async def _asked(route: Any) -> list[Finding]:
    from loresmith.llm.errors import GenerationError
    from loresmith.llm.port import Final as Answer
    from loresmith.llm.port import GenerationRequest
    from loresmith.llm_service.call import Call
    from loresmith.llm_service.said import provider_said

    provider = route.first.provider
    limit = provider.limits.max_output_tokens
    request = GenerationRequest("", _PROMPT, _SCHEMA, schema_name="colour", max_output_tokens=limit)
    answer, facts, error = "", dict[str, object](), None
    try:
        async for event in Call(route, request).events():
            answer = event.json if isinstance(event, Answer) else answer
    except GenerationError as raised:
        error = raised
        facts = provider_said(raised, GenerationRequest("", "", {}), route.secrets())
    how = "a stream" if provider.streams else "one answer"
    sent = f"{_PROMPT!r} to {provider.label!r}, as {provider.modes.current}, for {how} of at most {limit} tokens"
    findings = [Finding("model request", Level.OK, sent)]
    if error is None:
        return [*findings, Finding("model answer", Level.OK, answer)]
    status, body = facts.get("provider_status"), facts.get("provider_answer")
    came = f"{error.message}; it answered{f' {status}' if status else ''}: {body}" if facts else error.message
    return [*findings, Finding("model answer", Level.WRONG, f"{came} ({error.code})", _advice(error.code))]


def _advice(code: str) -> str:
    return {
        "provider_auth": "correct the key",
        "provider_rate_limited": "wait, or see the account at the provider",
        "output_invalid": "another model, or LORESMITH_MODEL_OUTPUT",
    }.get(code, "see LORESMITH_MODEL, LORESMITH_MODEL_BASE_URL and docs/lore-service.md")
