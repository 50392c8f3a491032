"""A scripted LoreModel without a service, for tests of what calls the port."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable

from loresmith.llm.port import (
    FieldsDone,
    Final,
    GenerationEvent,
    GenerationRequest,
    ModelCapabilities,
    Partial,
    Usage,
)

Script = Callable[[GenerationRequest], dict[str, object] | Exception]


class ScriptedLoreModel:
    """Answers each request with what `script` returns for it: an object, or an error to raise.

    The properties of the object finish one by one. `requests` holds what was asked, in order.
    """

    def __init__(self, script: Script, *, concurrent_calls: int = 8) -> None:
        self._script = script
        self._capabilities = ModelCapabilities("scripted", True, concurrent_calls)
        self.requests: list[GenerationRequest] = []

    async def generate(
        self,
        request: GenerationRequest,
        *,
        timeout_seconds: float,  # noqa: ARG002 (a script takes no time)
    ) -> AsyncGenerator[GenerationEvent, None]:
        """See LoreModel.generate."""
        self.requests.append(request)
        answer = self._script(request)
        if isinstance(answer, Exception):
            raise answer
        finished: dict[str, object] = {}
        for done, (name, value) in enumerate(answer.items(), start=1):
            finished[name] = value
            yield FieldsDone(done, len(answer), done)
            yield Partial(json.dumps(finished))
        yield Final(json.dumps(answer))
        yield Usage("scripted", 1, len(answer), None)

    async def capabilities(self) -> ModelCapabilities:
        """See LoreModel.capabilities."""
        return self._capabilities
