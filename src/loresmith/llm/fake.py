"""A scripted LoreModel without a service, for tests of callers of the port."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from loresmith.llm.port import (
    FieldsDone,
    Final,
    GenerationEvent,
    GenerationRequest,
    ModelCapabilities,
    Partial,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An answer that breaks off with an error after the given object was written."""

    written: dict[str, Any]
    error: BaseException


Script = Callable[[GenerationRequest], "dict[str, Any] | BaseException | Interrupted"]


class ScriptedLoreModel:
    """Answers each request with what `script` returns for it: an object, or an error to raise.

    The properties of the object, and the elements of its lists, finish one by one. `requests` holds the requests in
    order. A model with `streams=False` reports no progress.
    """

    def __init__(
        self, script: Script, *, concurrent_calls: int = 8, streams: bool = True, guided: bool = False
    ) -> None:
        self._script = script
        self._capabilities = ModelCapabilities("scripted", streams, concurrent_calls, guided=guided)
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
        if isinstance(answer, BaseException):
            raise answer
        written, error = (answer.written, answer.error) if isinstance(answer, Interrupted) else (answer, None)
        states = list(_states(written))
        for done, state in enumerate(states, start=1):
            if self._capabilities.streams:
                yield FieldsDone(done, len(states), done)
                yield Partial(json.dumps(state))
        if error is not None:
            raise error
        yield Final(json.dumps(written))
        yield Usage("scripted", 1, len(states), None)

    async def capabilities(self) -> ModelCapabilities:
        """See LoreModel.capabilities."""
        return self._capabilities


def _states(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the object after each finished property, and after each finished element of a list."""
    finished: dict[str, Any] = {}
    for name, each in value.items():
        elements = cast("list[Any]", each) if isinstance(each, list) else []
        for count in range(1, len(elements)):
            yield {**finished, name: elements[:count]}
        finished[name] = each
        yield dict(finished)
