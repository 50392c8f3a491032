"""Local servers that stand for the providers: each holds every request to its rules and answers any schema.

    async with PROVIDERS["openai"]() as server:
        os.environ.update(server.environment)          # or monkeypatch.setenv, or env= of a process
        … LORESMITH_MODEL=server.model …
        assert not server.refused                       # each request was taken
        assert server.bodies == […]                     # in the order in which they came, for snapshots

`environment` holds LORESMITH_MODEL and what else the lore service needs (keys, base URLs). The answer to a request is
an object that satisfies the schema of the request, and the limits that its descriptions name. No two answers of a
server are the same, and the same requests in the same order get the same answers. `write` can be set to another
function, from the schema, the body and the number of the request to the text of the answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.llm_service import anthropic_server, responses_server
from tests.llm_service.openai_server import Answer, Exchange, OpenAIServer
from tests.providers.answers import answer_for
from tests.providers.rules import anthropic, decoders, gemini, openai
from tests.providers.rules.paths import Check
from tests.providers.rules.schemas import Refusal

Body = dict[str, Any]
Write = Callable[[dict[str, Any], Body, int], str]


def write_any(schema: dict[str, Any], body: Body, number: int) -> str:
    """An object that satisfies the schema."""
    return answer_for(schema, number)


@dataclass
class ProviderServer:
    """A server that runs, and what it was asked."""

    name: str
    model: str
    environment: Mapping[str, str]
    _server: OpenAIServer
    write: Write = write_any
    bodies: list[Body] = field(default_factory=list[Body])
    """The requests in the order in which they came."""

    @property
    def refused(self) -> list[Refusal]:
        """What the server did not take."""
        return self._server.refused

    @property
    def exchanges(self) -> list[Exchange]:
        """The requests with their headers."""
        return self._server.exchanges


@dataclass(frozen=True)
class _Kind:
    """One provider: its name in LORESMITH_MODEL, its settings, its rules, its protocol."""

    model: str
    environment: Mapping[str, str]
    check: Check
    says: Callable[[str], Answer]
    schema: Callable[[Body], dict[str, Any]]


def _schema_of_openai(body: Body) -> dict[str, Any]:
    return openai.schemas(body)[0][2]


def _schema_of_anthropic(body: Body) -> dict[str, Any]:
    config: Any = body.get("output_config") or {}
    return config["format"]["schema"] if "format" in config else body["tools"][0]["input_schema"]


def chat_says(text: str) -> Answer:
    """The answer of a chat server: a stream or whole, as text or as the call of the tool, as it was asked."""

    async def answer(exchange: Exchange) -> None:
        body = exchange.body
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        tools: Any = body.get("tools")
        content: Body = _call(tools[0]["function"]["name"], text) if tools else {"content": text}
        finish = "tool_calls" if tools else "stop"
        if body.get("stream"):
            await exchange.head()
            await exchange.chunk({"role": "assistant", **content})
            await exchange.chunk({}, finish=finish, usage=usage)
            await exchange.send("data: [DONE]\n\n")
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": None, **content}, "finish_reason": finish}
        whole = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
        await exchange.head(kind="application/json")
        await exchange.send(json.dumps({**whole, "usage": usage}))

    return answer


def _call(name: str, arguments: str) -> Body:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}


_OPENAI = {"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": "{url}"}
_ANTHROPIC = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": "{root}"}
_COMPATIBLE = {"LORESMITH_MODEL_BASE_URL": "{url}", "LORESMITH_MODEL_API_KEY": "test-key"}
_KINDS: Mapping[str, _Kind] = {
    "openai": _Kind("openai:gpt-5-mini", _OPENAI, openai.check, responses_server.says, _schema_of_openai),
    "openai-chat": _Kind("openai-chat:gpt-5-mini", _OPENAI, openai.check, chat_says, _schema_of_openai),
    "anthropic": _Kind(
        "anthropic:claude-haiku-4-5", _ANTHROPIC, anthropic.check, anthropic_server.says, _schema_of_anthropic
    ),
    "anthropic-tool": _Kind(
        "anthropic:claude-3-5-haiku-latest", _ANTHROPIC, anthropic.check, anthropic_server.says, _schema_of_anthropic
    ),
    "gemini": _Kind(
        "openai-compatible:gemini-3.5-flash",
        {"LORESMITH_MODEL_BASE_URL": "{root}/v1beta/openai", "LORESMITH_MODEL_API_KEY": "test-key"},
        gemini.check,
        chat_says,
        _schema_of_openai,
    ),
    "ollama": _Kind("ollama:qwen3", {"OLLAMA_BASE_URL": "{url}"}, decoders.check_ollama, chat_says, _schema_of_openai),
    "llama.cpp": _Kind("openai-compatible:qwen3", _COMPATIBLE, decoders.check_llama_cpp, chat_says, _schema_of_openai),
    "vllm": _Kind("openai-compatible:Qwen/Qwen3-8B", _COMPATIBLE, decoders.check_vllm, chat_says, _schema_of_openai),
}


@asynccontextmanager
async def _run(name: str, kind: _Kind) -> AsyncGenerator[ProviderServer]:
    server = OpenAIServer(kind.check)
    await server.start()
    roots = {"url": server.url, "root": server.url.removesuffix("/v1")}
    environment = {"LORESMITH_MODEL": kind.model}
    environment |= {name: value.format(**roots) for name, value in kind.environment.items()}
    provider = ProviderServer(name, kind.model, environment, server)

    async def answer(exchange: Exchange) -> None:
        provider.bodies.append(exchange.body)
        text = provider.write(kind.schema(exchange.body), exchange.body, len(provider.bodies))
        await kind.says(text)(exchange)

    server.answers = [answer]
    try:
        yield provider
    finally:
        await server.stop()


PROVIDERS: Mapping[str, Callable[[], AbstractAsyncContextManager[ProviderServer]]] = {
    name: (lambda name=name, kind=kind: _run(name, kind)) for name, kind in _KINDS.items()
}
"""A server for each provider, by its name here."""
